/* The main Lua state: runs the program's Lua side over the command line.
 * Main thread, once. */
#ifndef VB_SCRIPT_MAIN_STATE_H
#define VB_SCRIPT_MAIN_STATE_H

/* Calls require("vbench.main").run with the words behind the program's name, and returns the exit
 * code that it gives; 1, and a message with a traceback on standard error, when it raises. */
int vb_main_state_run(int argc, char **argv);

#endif
