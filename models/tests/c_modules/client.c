#define _GNU_SOURCE
/* A client that does what it is compiled to do, such as -DNULL_POINTER: most of it in its detach callback. */
#ifndef NO_IMPLEMENTATION
#define NMREX_IMPLEMENTATION
#endif
#include <nmrex_module.h>

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

static HANDLE Client;
static HANDLE Binding;
static PVOID Peer;
static const VOID *PeerDispatch;
static volatile unsigned Count;
static volatile char First;
static volatile char Second;

#ifdef OF_THREADS
__thread int OfAThread;
#endif

#ifdef JUMPS
static jmp_buf Back;
#endif

#ifdef CALLS_FROM_A_THREAD
static void *Run(void *Argument)
{
  NmrDeregisterClient(Client);
  return Argument;
}

/* Past what the header has in its place: as a library would start a thread that this one knows nothing of. */
static void Elsewhere(void)
{
  int (*Create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
      (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_NEXT, "pthread_create");
  pthread_t Thread;
  if (Create(&Thread, NULL, Run, NULL) == 0) {
    pthread_join(Thread, NULL);
  }
}
#endif

#ifdef STARTS_A_C11_THREAD
static int Run(void *Argument)
{
  return Argument != NULL;
}
#endif

#ifdef CLONES
static int Run(void *Argument)
{
  return Argument != NULL;
}
#endif

#ifdef FREES_BEFORE
/* A constructor, which runs before the explorer is there. */
static __attribute__((constructor)) void Before(void)
{
  static int Something;
  void *volatile Block = &Something;
  free(Block);
}
#endif

#ifdef ALLOCATES
static void Allocate(void)
{
  char *Copy = strdup("twelve bytes");
  char *Part = strndup("twelve bytes", 6);
  char *Whole = strndup("six", 6);
  char *Aligned = aligned_alloc(64, 128);
  char *More = aligned_alloc(1 << 14, 100);
  void *Block = NULL;
  assert(strcmp(Copy, "twelve bytes") == 0 && strcmp(Part, "twelve") == 0 && strcmp(Whole, "six") == 0);
  assert((uintptr_t)Aligned % 64 == 0 && (uintptr_t)More % (1 << 14) == 0);
  Aligned[127] = More[99] = 1;
  assert(posix_memalign(&Block, 48, 1) == EINVAL && aligned_alloc(48, 1) == NULL && errno == EINVAL);
  assert(posix_memalign(&Block, 256, 20) == 0 && (uintptr_t)Block % 256 == 0);
  Copy = realloc(Copy, 100);
  assert(strcmp(Copy, "twelve bytes") == 0);
  free(Copy), free(Part), free(Whole), free(Aligned), free(More), free(Block);
}
#endif

#ifdef DEEP
static int Deep(int Left)
{
  volatile char Room[4096];
  Room[0] = (char)Left;
  return Left == 0 ? Room[0] : Deep(Left - 1) + Room[0];
}
#endif

static NTSTATUS Attach(HANDLE NmrBindingHandle, PVOID Context, PNPI_REGISTRATION_INSTANCE Provider)
{
  NTSTATUS Status;
  PVOID Own = malloc(8);
  assert(Context == &Client && Provider->Size == sizeof(NPI_REGISTRATION_INSTANCE));
  Binding = NmrBindingHandle;
  Status = NmrClientAttachProvider(NmrBindingHandle, Own, NULL, &Peer, &PeerDispatch);
  if (Status != STATUS_SUCCESS) {
#ifndef LEAKS
    free(Own);
#endif
  }
#ifdef OF_A_PROVIDER_IN_C
  assert(Status != STATUS_SUCCESS || (*(int *)Peer == 42 && PeerDispatch == (PVOID)8));
#endif
  return Status;
}

static NTSTATUS Detach(PVOID Context)
{
  (void)Context;
#if defined(NULL_POINTER)
  *(volatile int *)8 = 1;
#elif defined(OVERRUN)
  ((volatile char *)Context)[16] = 1;
#elif defined(LOOPS)
  for (;;) {
    Count += 1;
  }
#elif defined(SLEEPS)
  for (;;) {
    pause();
  }
#elif defined(DEEP)
  Count = (unsigned)Deep(1000);
#elif defined(ASSERTS)
  assert(Context == NULL);
#elif defined(STARTS_A_THREAD)
  pthread_t Thread;
  pthread_create(&Thread, NULL, NULL, NULL);
#elif defined(STARTS_A_C11_THREAD)
  thrd_t Thread;
  if (thrd_create(&Thread, Run, NULL) == thrd_success) {
    thrd_join(Thread, NULL);
  }
#elif defined(FORKS)
  if (FORKS() == 0) {
    _exit(0);
  }
#elif defined(CLONES)
  static char Stack[1 << 14];
  clone(Run, Stack + sizeof(Stack), 0, NULL);
#elif defined(CALLS_FROM_A_THREAD)
  Elsewhere();
#elif defined(ALLOCATES)
  Allocate();
#elif defined(FREES_FROM_LIBC)
  char *Text = NULL;
  if (asprintf(&Text, "%d", 1) > 0) {
    free(Text);
  }
#elif defined(FREES_A_VARIABLE)
  void *volatile Block = &Client;
  free(Block);
#elif defined(FREES_THE_MIDDLE)
  char *volatile Block = malloc(64);
  free(Block + 16);
#elif defined(WRITES_BYTE)
  ((volatile char *)Context)[WRITES_BYTE] = 1;
#elif defined(WRITES_BYTE_AND_FREES)
  volatile char *Block = malloc(20);
  Block[WRITES_BYTE_AND_FREES] = 1;
  free((void *)Block);
#elif defined(FILLS)
  char *volatile Block = malloc(20);
  memset(Block, 1, 20);
  free(Block);
#elif defined(KEEPS_IN_ERRNO)
  errno = 5;
#elif defined(JUMPS)
  longjmp(Back, 1);
#elif defined(EXITS)
  exit(0);
#elif defined(PRINTS)
  printf("{\"kind\":\"result\"}\n");
  fflush(stdout);
#elif defined(DRAWS)
  Count = (unsigned)rand();
#elif defined(FREES_TWICE)
  free(Context);
#elif defined(COMPLETES_EARLY)
  NmrClientDetachProviderComplete(Binding);
  return STATUS_PENDING;
#elif defined(NEVER_COMPLETES)
  return STATUS_PENDING;
#endif
  return STATUS_SUCCESS;
}

static VOID Cleanup(PVOID Context)
{
  free(Context);
}

static const NPIID Interface = {1, 2, 3, {4}};
static const NPI_MODULEID Module = {sizeof(NPI_MODULEID), MIT_GUID, {{5, 0, 0, {0}}}};

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
#ifdef WRONG_VERSION
    .Version = 1,
#endif
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = Attach,
    .ClientDetachProvider = Detach,
    .ClientCleanupBindingContext = Cleanup,
    .ClientRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &Interface,
        .ModuleId = &Module,
    },
};

static NTSTATUS Register(VOID)
{
  return NmrRegisterClient(&Characteristics, &Client, &Client);
}

static VOID Deregister(VOID)
{
  if (First == 0) {
    First = 'd';
  }
#ifdef JUMPS
  if (setjmp(Back) != 0) {
    return;
  }
#endif
#ifdef KEEPS_IN_ERRNO
  errno = 7;
#endif
#ifdef WRITES_BEFORE_A_CALL
  volatile char *Block = malloc(20);
  Block[20] = 1;
#endif
  NmrDeregisterClient(Client);
#ifdef WRITES_BEFORE_A_CALL
  Block[20] = WRITES_BEFORE_A_CALL;
#endif
#ifdef KEEPS_IN_ERRNO
  assert(errno == 7);
#endif
}

static VOID Wait(VOID)
{
#ifdef KEEPS_IN_ERRNO
  assert(errno == 0);
#endif
  NmrWaitForClientDeregisterComplete(Client);
  if (Second == 0) {
    Second = 'w';
  }
#ifdef EXPECTS
  assert(EXPECTS);
#endif
}

/* Two threads count their calls of the peer: an update is lost where one comes between. Or one notes whether it came before the
 * client's deregister call, and before the end of its wait. */
static VOID Dispatch(VOID)
{
#ifdef LOSES
  unsigned Seen = Count;
  NmrExCallPeer(Peer);
  Count = Seen + 1;
#elif !defined(KEEPS_NOTHING)
  if (First == 0) {
    First = 'c';
  }
  Count += 1;
  if (Count == 2 && Second == 0) {
    Second = 'c';
  }
#ifdef IN_THE_END
  /* Something that the oracle judges, which it does only where a state is new. */
  if (Count == 3 && !(IN_THE_END)) {
    NmrExCallPeer(Peer);
  }
#endif
#endif
}

#ifndef NO_MODULE
const NMREX_MODULE NmrExModule = {
    .Size = sizeof(NMREX_MODULE),
    .Register = Register,
    .Deregister = Deregister,
    .Wait = Wait,
    .Dispatch = Dispatch,
#ifdef DEEP_ENOUGH
    .StackSize = 8 << 20,
#endif
};
#endif
