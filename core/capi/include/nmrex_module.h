/*
 * A client or provider module in C, as the explorer runs it: `cargo nmr check --c-module NAME=FILE`. See README.md,
 * "First check".
 *
 * The module is compiled, as it is, into a shared object, together with one file that says how it is driven:
 *
 *   #define NMREX_IMPLEMENTATION
 *   #include <nmrex_module.h>
 *
 *   const NMREX_MODULE NmrExModule = {
 *       .Size = sizeof(NMREX_MODULE),
 *       .Register = MyDriverEntry,
 *       .Deregister = MyBeginUnload,
 *       .Wait = MyEndUnload,
 *   };
 *
 * With NMREX_IMPLEMENTATION that file has the functions of netioddk.h, and malloc, strdup and free: the module's calls come to
 * the registrar of the execution at hand, and its memory is the explorer's. Other files that include this have the types
 * and the names of the kernel's pools.
 */
#ifndef NMREX_MODULE_H
#define NMREX_MODULE_H

#include <stdlib.h>

#include "netioddk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a scenario's operations on the module do. NULL for what does nothing. Each is called on whichever thread of the
 * scenario performs the operation, and returns when it is done. */
typedef struct _NMREX_MODULE {
  /* The size of this structure, in bytes. */
  ULONG Size;
  /* The stack that the module's functions need, in bytes; 0 for 256 KiB. */
  ULONG StackSize;
  /* `register M`: what DriverEntry does. Calls NmrRegisterClient or NmrRegisterProvider. */
  NTSTATUS (*Register)(VOID);
  /* `deregister M`: the first half of Unload. Calls NmrDeregisterClient or NmrDeregisterProvider. */
  VOID (*Deregister)(VOID);
  /* `wait M`: the second half. Calls NmrWaitForClientDeregisterComplete or NmrWaitForProviderDeregisterComplete. */
  VOID (*Wait)(VOID);
  /* `complete M`, `try-complete M`, `complete-all`, once for each detach that the module has answered STATUS_PENDING and not
   * completed: what ends the work that it waits for. Calls NmrClientDetachProviderComplete or
   * NmrProviderDetachClientComplete. */
  VOID (*Complete)(PVOID BindingContext);
  /* `dispatch M`: the module calls its peers through their dispatch tables. */
  VOID (*Dispatch)(VOID);
  /* `dispatch P` of a peer P that is no module in C: what a function in the module's own dispatch table does with its binding
   * context. The call goes on for a while: this is called as it begins, and as it ends. */
  VOID (*Called)(PVOID BindingContext);
  /* The dispatch table that a peer hands over which is no module in C. Its functions say what they are by
   * NmrExCallPeer. */
  const VOID *PeerDispatch;
} NMREX_MODULE;

/* How the module is driven. The module's own to define. */
extern const NMREX_MODULE NmrExModule;

/* A call through the dispatch table of a peer that is no module in C, by the binding context that the peer handed over:
 * it begins, others may go on meanwhile, and it ends. */
VOID NmrExCallPeer(PVOID PeerBindingContext);

#ifdef __cplusplus
}
#endif

/* The kernel's pools. */
#ifndef ExAllocatePool2
#define ExAllocatePool2(Flags, NumberOfBytes, Tag) ((void)(Flags), (void)(Tag), calloc(1, (NumberOfBytes)))
#endif
#ifndef ExAllocatePoolWithTag
#define ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag) ((void)(PoolType), (void)(Tag), malloc(NumberOfBytes))
#endif
#ifndef ExFreePoolWithTag
#define ExFreePoolWithTag(P, Tag) ((void)(Tag), free(P))
#endif
#ifndef ExFreePool
#define ExFreePool(P) free(P)
#endif
#ifndef POOL_FLAG_NON_PAGED
#define POOL_FLAG_NON_PAGED 0x40ULL
#endif
#ifndef POOL_FLAG_PAGED
#define POOL_FLAG_PAGED 0x100ULL
#endif

#ifdef NMREX_IMPLEMENTATION

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>
#if defined(__has_include)
#if __has_include(<threads.h>)
#include <threads.h>
#define NMREX_THREADS
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What follows is between this file and the explorer (`nmr-hosted`), and changes with it. */

#define NMREX_VERSION 2

/* What the explorer gives. */
typedef struct _NMREX_HOST {
  ULONG Size;
  ULONG Version;
  PVOID Self;
  NTSTATUS (*RegisterClient)(PVOID Self, const NPI_CLIENT_CHARACTERISTICS *, PVOID, HANDLE *);
  NTSTATUS (*RegisterProvider)(PVOID Self, const NPI_PROVIDER_CHARACTERISTICS *, PVOID, HANDLE *);
  NTSTATUS (*Deregister)(PVOID Self, ULONG Side, HANDLE);
  NTSTATUS (*Wait)(PVOID Self, ULONG Side, HANDLE);
  VOID (*Complete)(PVOID Self, ULONG Side, HANDLE);
  NTSTATUS (*Attach)(PVOID Self, HANDLE, PVOID, const VOID *, PVOID *, const VOID **);
  VOID (*CallPeer)(PVOID Self, PVOID);
  PVOID (*Allocate)(PVOID Self, ULONGLONG Size, ULONGLONG Alignment);
  ULONGLONG (*SizeOf)(PVOID Self, PVOID);
  VOID (*Free)(PVOID Self, PVOID);
  /* Something that cannot be driven. */
  VOID (*Refuse)(PVOID Self, const char *);
} NMREX_HOST;

/* A call into the module. */
typedef struct _NMREX_CALL {
  ULONG Kind;
  NTSTATUS Answer;
  VOID (*Function)(VOID);
  PVOID Arguments[5];
  PVOID *Context;
  const VOID **Dispatch;
  /* Where the call is left to, if the module does not come back by itself. */
  PVOID Back;
} NMREX_CALL;

/* What the shared object shows. */
typedef struct _NMREX_OBJECT {
  ULONG Size;
  ULONG Version;
  const NMREX_MODULE *Module;
  VOID (*Begin)(const NMREX_HOST *);
  int (*Invoke)(NMREX_CALL *);
  VOID (*Leave)(PVOID, int);
} NMREX_OBJECT;

#define NMREX_HIDDEN __attribute__((visibility("hidden"), used))
#ifdef __cplusplus
/* C++ has declared them before as functions that others see, which no attribute takes back. */
__asm__(".hidden malloc\n.hidden calloc\n.hidden realloc\n.hidden free\n.hidden aligned_alloc\n.hidden posix_memalign\n"
        ".hidden strdup\n.hidden strndup\n.hidden exit");
#define NMREX_OF_LIBC __attribute__((used))
#else
#define NMREX_OF_LIBC NMREX_HIDDEN
#endif

static const NMREX_HOST *NmrExHost;

static VOID NmrExBegin(const NMREX_HOST *Host)
{
  NmrExHost = Host;
}

/* Calls a function of the module; answers 0, or what it was left for. */
static __attribute__((noinline)) int NmrExInvoke(NMREX_CALL *Call)
{
  jmp_buf Back;
  int Left = setjmp(Back);
  if (Left != 0) {
    return Left;
  }
  Call->Back = &Back;
  switch (Call->Kind) {
  case 0:
    Call->Function();
    break;
  case 1:
    Call->Answer = ((NTSTATUS(*)(VOID))Call->Function)();
    break;
  case 2:
    ((VOID(*)(PVOID))Call->Function)(Call->Arguments[0]);
    break;
  case 3:
    Call->Answer = ((NTSTATUS(*)(PVOID))Call->Function)(Call->Arguments[0]);
    break;
  case 4:
    Call->Answer = ((NPI_CLIENT_ATTACH_PROVIDER_FN *)Call->Function)(
        Call->Arguments[0], Call->Arguments[1], (PNPI_REGISTRATION_INSTANCE)Call->Arguments[2]);
    break;
  default:
    Call->Answer = ((NPI_PROVIDER_ATTACH_CLIENT_FN *)Call->Function)(
        Call->Arguments[0], Call->Arguments[1], (PNPI_REGISTRATION_INSTANCE)Call->Arguments[2], Call->Arguments[3],
        Call->Arguments[4], Call->Context, Call->Dispatch);
    break;
  }
  return 0;
}

static VOID NmrExLeave(PVOID Back, int Why)
{
  longjmp(*(jmp_buf *)Back, Why);
}

/* In C++ a constant is seen elsewhere only if that is said before. */
extern __attribute__((visibility("default"))) const NMREX_OBJECT NmrExObject;
__attribute__((used)) const NMREX_OBJECT NmrExObject = {
    sizeof(NMREX_OBJECT), NMREX_VERSION, &NmrExModule, NmrExBegin, NmrExInvoke, NmrExLeave};

/* The functions of netioddk.h. Hidden: what the module calls is bound here when it is linked. */
NMREX_HIDDEN NTSTATUS NmrRegisterClient(
    PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics, PVOID ClientContext, HANDLE *NmrClientHandle)
{
  return NmrExHost->RegisterClient(NmrExHost->Self, ClientCharacteristics, ClientContext, NmrClientHandle);
}

NMREX_HIDDEN NTSTATUS NmrDeregisterClient(HANDLE NmrClientHandle)
{
  return NmrExHost->Deregister(NmrExHost->Self, 0, NmrClientHandle);
}

NMREX_HIDDEN NTSTATUS NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle)
{
  return NmrExHost->Wait(NmrExHost->Self, 0, NmrClientHandle);
}

NMREX_HIDDEN NTSTATUS NmrClientAttachProvider(
    HANDLE NmrBindingHandle, PVOID ClientBindingContext, const VOID *ClientDispatch, PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch)
{
  return NmrExHost->Attach(
      NmrExHost->Self, NmrBindingHandle, ClientBindingContext, ClientDispatch, ProviderBindingContext, ProviderDispatch);
}

NMREX_HIDDEN VOID NmrClientDetachProviderComplete(HANDLE NmrBindingHandle)
{
  NmrExHost->Complete(NmrExHost->Self, 0, NmrBindingHandle);
}

NMREX_HIDDEN NTSTATUS NmrRegisterProvider(
    PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics, PVOID ProviderContext, HANDLE *NmrProviderHandle)
{
  return NmrExHost->RegisterProvider(NmrExHost->Self, ProviderCharacteristics, ProviderContext, NmrProviderHandle);
}

NMREX_HIDDEN NTSTATUS NmrDeregisterProvider(HANDLE NmrProviderHandle)
{
  return NmrExHost->Deregister(NmrExHost->Self, 1, NmrProviderHandle);
}

NMREX_HIDDEN NTSTATUS NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle)
{
  return NmrExHost->Wait(NmrExHost->Self, 1, NmrProviderHandle);
}

NMREX_HIDDEN VOID NmrProviderDetachClientComplete(HANDLE NmrBindingHandle)
{
  NmrExHost->Complete(NmrExHost->Self, 1, NmrBindingHandle);
}

NMREX_HIDDEN VOID NmrExCallPeer(PVOID PeerBindingContext)
{
  NmrExHost->CallPeer(NmrExHost->Self, PeerBindingContext);
}

/* Memory that is the explorer's: what is freed becomes unreadable. */
static void *NmrExAllocate(size_t Size, size_t Alignment)
{
  void *Block = NmrExHost == NULL ? NULL : NmrExHost->Allocate(NmrExHost->Self, Size, Alignment);
  if (Block == NULL) {
    errno = ENOMEM;
  }
  return Block;
}

NMREX_OF_LIBC void *malloc(size_t Size)
{
  return NmrExAllocate(Size, 16);
}

NMREX_OF_LIBC void *calloc(size_t Count, size_t Size)
{
  size_t Bytes;
  /* It comes as zeros. */
  return __builtin_mul_overflow(Count, Size, &Bytes) ? NULL : malloc(Bytes);
}

NMREX_OF_LIBC void free(void *Block)
{
  /* Before the explorer is there, nothing was allocated. */
  if (Block != NULL && NmrExHost != NULL) {
    NmrExHost->Free(NmrExHost->Self, Block);
  }
}

NMREX_OF_LIBC void *realloc(void *Block, size_t Size)
{
  void *Moved = malloc(Size);
  if (Block != NULL && Moved != NULL) {
    size_t Before = NmrExHost->SizeOf(NmrExHost->Self, Block);
    memcpy(Moved, Block, Before < Size ? Before : Size);
    free(Block);
  }
  return Moved;
}

NMREX_OF_LIBC void *aligned_alloc(size_t Alignment, size_t Size)
{
  if (Alignment == 0 || (Alignment & (Alignment - 1)) != 0) {
    errno = EINVAL;
    return NULL;
  }
  return NmrExAllocate(Size, Alignment);
}

NMREX_OF_LIBC int posix_memalign(void **Block, size_t Alignment, size_t Size)
{
  void *Allocated;
  int Before = errno;
  if (Alignment % sizeof(void *) != 0 || Alignment == 0 || (Alignment & (Alignment - 1)) != 0) {
    return EINVAL;
  }
  Allocated = NmrExAllocate(Size, Alignment);
  errno = Before;
  if (Allocated == NULL) {
    return ENOMEM;
  }
  *Block = Allocated;
  return 0;
}

NMREX_OF_LIBC char *strndup(const char *String, size_t Most)
{
  const char *End = (const char *)memchr(String, 0, Most);
  size_t Length = End == NULL ? Most : (size_t)(End - String);
  char *Copy = (char *)malloc(Length + 1);
  if (Copy != NULL) {
    memcpy(Copy, String, Length);
    Copy[Length] = 0;
  }
  return Copy;
}

NMREX_OF_LIBC char *strdup(const char *String)
{
  size_t Bytes = strlen(String) + 1;
  char *Copy = (char *)malloc(Bytes);
  if (Copy != NULL) {
    memcpy(Copy, String, Bytes);
  }
  return Copy;
}

static VOID NmrExRefuse(const char *Why)
{
  if (NmrExHost != NULL) {
    NmrExHost->Refuse(NmrExHost->Self, Why);
  }
}

/* A thread of the module's own could not be switched. */
static VOID NmrExRefuseThread(VOID)
{
  NmrExRefuse("it starts a thread of its own, which could not be switched: give that thread's work to an operation of the "
              "scenario (`Complete`, `Dispatch`)");
}

NMREX_HIDDEN int pthread_create(
    pthread_t *Thread, const pthread_attr_t *Attributes, void *(*Start)(void *), void *Argument)
{
  (void)Thread, (void)Attributes, (void)Start, (void)Argument;
  NmrExRefuseThread();
  return EAGAIN;
}

#ifdef NMREX_THREADS
NMREX_HIDDEN int thrd_create(thrd_t *Thread, thrd_start_t Start, void *Argument)
{
  (void)Thread, (void)Start, (void)Argument;
  NmrExRefuseThread();
  return thrd_error;
}
#endif

/* It is a thread or a process, as its flags say. */
NMREX_HIDDEN int clone(int (*Start)(void *), void *Stack, int Flags, void *Argument, ...)
{
  (void)Start, (void)Stack, (void)Flags, (void)Argument;
  NmrExRefuse("it starts a thread or process of its own (`clone`), which could not be switched");
  errno = EAGAIN;
  return -1;
}

/* A process of the module's own would be a second explorer. */
NMREX_HIDDEN pid_t fork(VOID)
{
  NmrExRefuse("it starts a process (`fork`), which would be a second run of the scenario");
  errno = EAGAIN;
  return -1;
}

NMREX_HIDDEN pid_t vfork(VOID)
{
  NmrExRefuse("it starts a process (`vfork`), which would be a second run of the scenario");
  errno = EAGAIN;
  return -1;
}

/* Nor is there anybody to see what comes of it when the process has ended. */
NMREX_OF_LIBC __attribute__((noreturn)) void exit(int Status)
{
  (void)Status;
  NmrExRefuse("it ends the process (`exit`)");
  for (;;) {
  }
}

#ifdef __cplusplus
}
#endif

#endif
#endif
