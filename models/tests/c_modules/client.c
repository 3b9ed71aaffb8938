/* A client that does what it is compiled to do, such as -DNULL_POINTER: most of it in its detach callback. */
#define NMREX_IMPLEMENTATION
#include <nmrex_module.h>

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
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
static int Run(void *Argument)
{
  (void)Argument;
  NmrDeregisterClient(Client);
  return 0;
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
#elif defined(CALLS_FROM_A_THREAD)
  thrd_t Thread;
  if (thrd_create(&Thread, Run, NULL) == thrd_success) {
    thrd_join(Thread, NULL);
  }
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
  NmrDeregisterClient(Client);
}

static VOID Wait(VOID)
{
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
