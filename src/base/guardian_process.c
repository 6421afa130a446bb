#include "base/guardian_process.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 64, GRACE_MS = 2000, OUR_SOCKET = 3 };

typedef struct guardian {
  int signals; /* a signalfd: a child ended, or we are asked to */
  pid_t children[MAX_CHILDREN];
  int count;
  dev_t device; /* of the directory that we made: nothing else is ever removed */
  ino_t inode;
  char directory[VB_GUARDIAN_PATH];
} guardian;

static void send_answer(int status, int number, const char *format, ...) VB_PRINTF(3, 4);

static void send_answer(int status, int number, const char *format, ...) {
  vb_guardian_answer answer = {.status = status, .number = number};
  va_list args;
  va_start(args, format);
  (void)vsnprintf(answer.text, sizeof answer.text, format, args);
  va_end(args);
  (void)send(OUR_SOCKET, &answer, sizeof answer, MSG_NOSIGNAL);
}

/* Leaves the terminal and everything that was open: a pipe that we kept would make whoever reads
 * our parent's output wait for us. */
static void detach(int socket) {
  (void)setsid();
  (void)prctl(PR_SET_NAME, "vbench-guardian", 0, 0, 0);
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0,
              0); /* so that a server's own children are seen to end */
  int kept = fcntl(socket, F_DUPFD, OUR_SOCKET + 1); /* socket may be 0 to 2 */
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < OUR_SOCKET; fd++) dup2(null, fd);
  dup2(kept, OUR_SOCKET);
  (void)fcntl(OUR_SOCKET, F_SETFD, FD_CLOEXEC);
  (void)syscall(SYS_close_range, OUR_SOCKET + 1u, ~0u, 0u);
}

static int watch_signals(void) {
  const int ignored[] = {SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ignored); i++) signal(ignored[i], SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_SETMASK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int make_directory(guardian *self) {
  const char *given = getenv("TMPDIR");
  if (!given || !*given) given = "/tmp";
  char *parent = realpath(given, NULL);
  int length = snprintf(self->directory, sizeof self->directory, "%s/vbench-XXXXXX",
                        parent ? parent : given);
  free(parent);
  struct stat made;
  if (length >= (int)sizeof self->directory) {
    send_answer(VB_EIO, 0, "the path in TMPDIR is too long");
  } else if (!mkdtemp(self->directory) || lstat(self->directory, &made)) {
    send_answer(VB_EIO, 0, "cannot make a directory in %.400s: %s", given, strerror(errno));
  } else {
    self->device = made.st_dev;
    self->inode = made.st_ino;
    send_answer(VB_OK, 0, "%s", self->directory);
    return VB_OK;
  }
  return VB_EIO;
}

/* In the child: becomes the program, or says why not through `report`. */
static _Noreturn void become(const guardian *self, char **argv, const char *log_name, int report) {
  (void)setpgid(0, 0);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* even the guardian can be killed */
  const int ignored[] = {SIGINT, SIGQUIT, SIGHUP, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(ignored); i++) signal(ignored[i], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (chdir(self->directory) == 0) {
    int log = open(log_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0) execvp(argv[0], argv);
  }
  int why = errno;
  (void)!write(report, &why, sizeof why);
  _exit(127);
}

/* Starts argv; its process id, or -1 with errno. The pipe closes by itself when exec succeeds. */
static pid_t start(guardian *self, char **argv, const char *log_name) {
  int report[2], why = 0;
  if (pipe2(report, O_CLOEXEC)) return -1;
  pid_t child = fork();
  if (child == 0) become(self, argv, log_name, report[1]);
  close(report[1]);
  if (child < 0) {
    why = errno;
  } else if (read(report[0], &why, sizeof why) == (ssize_t)sizeof why) {
    waitpid(child, NULL, 0);
    child = -1;
  }
  close(report[0]);
  errno = why;
  return child;
}

static void spawn(guardian *self, const vb_guardian_request *request) {
  char *argv[VB_GUARDIAN_WORDS + 1], *word = (char *)request->words;
  const char *log_name = word;
  for (int i = 0; i < request->number; i++) {
    word += strlen(word) + 1;
    argv[i] = word;
  }
  argv[request->number] = NULL;
  if (self->count == MAX_CHILDREN) {
    send_answer(VB_EIO, 0, "%.200s: more than %d servers", argv[0], MAX_CHILDREN);
    return;
  }
  pid_t child = start(self, argv, log_name);
  if (child < 0) {
    send_answer(VB_EIO, 0, "cannot start %.200s: %s", argv[0], strerror(errno));
    return;
  }
  self->children[self->count++] = child;
  send_answer(VB_OK, child, "%s", "");
}

static int alive(const guardian *self, int pid) {
  for (int i = 0; i < self->count; i++)
    if (self->children[i] == pid) return 1;
  return 0;
}

static void forget(guardian *self, pid_t child) {
  for (int i = 0; i < self->count; i++)
    if (self->children[i] == child) {
      (void)kill(-child, SIGKILL); /* what it started and left, while its group still exists */
      self->children[i] = self->children[--self->count];
    }
}

/* Takes leave of all that ended, children and their orphans; true while there are others. */
static bool reap(guardian *self) {
  for (;;) {
    siginfo_t ended = {.si_pid = 0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT)) return false;
    if (!ended.si_pid) return true;
    forget(self, ended.si_pid);
    waitpid(ended.si_pid, NULL, 0);
  }
}

/* Reads the pending signals; true when one asks us to end. */
static bool read_signals(guardian *self) {
  struct signalfd_siginfo info;
  bool end = false;
  while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info)
    if (info.ssi_signo == SIGTERM) end = true;
  (void)reap(self);
  return end;
}

static void serve(guardian *self) {
  struct pollfd wait[] = {{.fd = OUR_SOCKET, .events = POLLIN},
                          {.fd = self->signals, .events = POLLIN}};
  vb_guardian_request request;
  for (;;) {
    if (poll(wait, VB_ARRAY_LENGTH(wait), -1) < 0 && errno != EINTR) return;
    if (read_signals(self)) return;
    if (!wait[0].revents) continue;
    ssize_t got = recv(OUR_SOCKET, &request, sizeof request, 0);
    if (got <= 0) return;
    if (request.kind == VB_GUARDIAN_SPAWN) {
      spawn(self, &request);
    } else {
      send_answer(VB_OK, alive(self, request.number), "%s", "");
    }
  }
}

static void signal_children(const guardian *self, int number) {
  for (int i = 0; i < self->count; i++) (void)kill(-self->children[i], number);
}

static void end_children(guardian *self) {
  signal_children(self, SIGTERM);
  vb_ns deadline = vb_now() + GRACE_MS * VB_NS_PER_MS;
  bool left = reap(self);
  for (vb_ns now = vb_now(); left && now < deadline; now = vb_now()) {
    struct pollfd wait = {.fd = self->signals, .events = POLLIN};
    (void)poll(&wait, 1, (int)((deadline - now) / VB_NS_PER_MS) + 1);
    (void)read_signals(self);
    left = reap(self);
  }
  signal_children(self, SIGKILL);
  for (int i = 0; i < self->count; i++) waitpid(self->children[i], NULL, 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where) {
  (void)info, (void)type, (void)where;
  (void)remove(path);
  return 0;
}

/* Nothing but the very directory that we made; links in it are removed, not followed. */
static void remove_directory(const guardian *self) {
  struct stat now;
  if (lstat(self->directory, &now) || !S_ISDIR(now.st_mode)) return;
  if (now.st_dev != self->device || now.st_ino != self->inode) return;
  (void)nftw(self->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

_Noreturn void vb_guardian_process(int socket) {
  guardian self = {.count = 0};
  detach(socket);
  self.signals = watch_signals();
  if (make_directory(&self) == VB_OK) {
    serve(&self);
    end_children(&self);
    remove_directory(&self);
  }
  _exit(0);
}
