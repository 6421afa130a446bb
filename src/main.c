#include "script/main_state.h"

int main(int argc, char **argv) {
  return vb_main_state_run(argc, argv);
}
