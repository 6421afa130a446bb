#include "base/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

static int read_line(FILE *terminal, char *out, size_t size, vb_error *err) {
  size_t length = 0;
  int c;
  while ((c = getc(terminal)) != EOF && c != '\n') {
    if (length < size) out[length] = (char)c;
    length++;
  }
  if (c == EOF) return vb_fail(err, VB_EIO, "the terminal's input ended before a line");
  if (length >= size) return vb_fail(err, VB_EINVAL, "a line of %zu bytes is too long", length);
  out[length] = 0;
  return VB_OK;
}

/* Echo is off between the two tcsetattr; a signal there must not leave it off. */
static int ask(FILE *terminal, const char *prompt, char *out, size_t size, vb_error *err) {
  struct termios shown, hidden;
  sigset_t stops, before;
  if (tcgetattr(fileno(terminal), &shown)) {
    return vb_fail(err, VB_EIO, "the terminal: %s", strerror(errno));
  }
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGTSTP);
  sigprocmask(SIG_BLOCK, &stops, &before);
  hidden = shown;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  (void)tcsetattr(fileno(terminal), TCSADRAIN, &hidden);
  (void)fputs(prompt, terminal);
  (void)fflush(terminal);
  int status = read_line(terminal, out, size, err);
  (void)tcsetattr(fileno(terminal), TCSADRAIN, &shown);
  (void)fputs("\n", terminal);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return status;
}

int vb_terminal_ask_secret(const char *prompt, char *out, size_t size, vb_error *err) {
  FILE *terminal = fopen("/dev/tty", "r+e");
  if (!terminal) return vb_fail(err, VB_EIO, "there is no terminal to ask on");
  (void)setvbuf(terminal, NULL, _IONBF, 0); /* what is read ahead of a switch would be lost */
  int status = ask(terminal, prompt, out, size, err);
  (void)fclose(terminal);
  return status;
}
