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
 * With NMREX_IMPLEMENTATION that file has the functions of netioddk.h, and malloc and free: the module's calls come to the
 * registrar of the execution at hand, and its memory is the explorer's. Other files that include this have the types
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

/* What follows is between this file and the explorer (`nmr-hosted`), and changes with it. */

#define NMREX_VERSION 1

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
  PVOID (*Allocate)(PVOID Self, ULONGLONG);
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

__attribute__((visibility("default"), used)) const NMREX_OBJECT NmrExObject = {
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
NMREX_HIDDEN void *malloc(size_t Size)
{
  return NmrExHost == NULL ? NULL : NmrExHost->Allocate(NmrExHost->Self, Size);
}

NMREX_HIDDEN void *calloc(size_t Count, size_t Size)
{
  size_t Bytes;
  /* It comes as zeros. */
  return __builtin_mul_overflow(Count, Size, &Bytes) ? NULL : malloc(Bytes);
}

NMREX_HIDDEN void free(void *Block)
{
  if (Block != NULL) {
    NmrExHost->Free(NmrExHost->Self, Block);
  }
}

NMREX_HIDDEN void *realloc(void *Block, size_t Size)
{
  void *Moved = malloc(Size);
  if (Block != NULL && Moved != NULL) {
    size_t Before = NmrExHost->SizeOf(NmrExHost->Self, Block);
    memcpy(Moved, Block, Before < Size ? Before : Size);
    free(Block);
  }
  return Moved;
}

/* A thread of the module's own could not be switched. */
NMREX_HIDDEN int pthread_create(
    pthread_t *Thread, const pthread_attr_t *Attributes, void *(*Start)(void *), void *Argument)
{
  (void)Thread, (void)Attributes, (void)Start, (void)Argument;
  if (NmrExHost != NULL) {
    NmrExHost->Refuse(NmrExHost->Self, "it starts a thread of its own, which could not be switched: give that thread's "
                                       "work to an operation of the scenario (`Complete`, `Dispatch`)");
  }
  return EAGAIN;
}

/* Nor is there anybody to see what comes of it when the process has ended. */
NMREX_HIDDEN __attribute__((noreturn)) void exit(int Status)
{
  (void)Status;
  if (NmrExHost != NULL) {
    NmrExHost->Refuse(NmrExHost->Self, "it ends the process (`exit`)");
  }
  for (;;) {
  }
}

#endif
#endif
