/* What the test programs share: checks, a watchdog, and modules' characteristics. In C11 and C++17. */
#ifndef TEST_H
#define TEST_H

/* POSIX beside C11. Included first. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netioddk.h"

#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      fprintf(stderr, "%s:%d: %s: not so\n", __FILE__, __LINE__, #condition);              \
      abort();                                                                             \
    }                                                                                      \
  } while (0)

#define CHECK_STATUS(call, expected)                                                       \
  do {                                                                                     \
    const NTSTATUS answered_ = (call);                                                     \
    if (answered_ != (expected)) {                                                         \
      fprintf(stderr, "%s:%d: %s: 0x%08X and not %s\n", __FILE__, __LINE__, #call,         \
              (unsigned)answered_, #expected);                                             \
      abort();                                                                             \
    }                                                                                      \
  } while (0)

/* Counters that threads share. */
#define ADD(counter, more) __atomic_add_fetch(&(counter), (more), __ATOMIC_SEQ_CST)
#define LOAD(counter) __atomic_load_n(&(counter), __ATOMIC_SEQ_CST)
#define STORE(counter, value) __atomic_store_n(&(counter), (value), __ATOMIC_SEQ_CST)

static inline void watchdog_bites(int signal_number)
{
  static const char message[] = "watchdog: a call did not return in time\n";
  (void)signal_number;
  if (write(2, message, sizeof(message) - 1) < 0) {
    _exit(4);
  }
  _exit(3);
}

/* Ends the program if it is not over by itself in so many seconds. */
static inline void watchdog(unsigned seconds)
{
  signal(SIGALRM, watchdog_bites);
  alarm(seconds);
}

static inline NPIID npi(uint32_t number)
{
  NPIID id;
  memset(&id, 0, sizeof(id));
  id.Data1 = number;
  return id;
}

static inline NPI_MODULEID module_id(uint32_t number)
{
  NPI_MODULEID id;
  memset(&id, 0, sizeof(id));
  id.Length = sizeof(id);
  id.Type = MIT_GUID;
  id.Guid = npi(number);
  return id;
}

static inline NPI_REGISTRATION_INSTANCE instance_of(PNPIID npi_id, PNPI_MODULEID module)
{
  NPI_REGISTRATION_INSTANCE instance;
  memset(&instance, 0, sizeof(instance));
  instance.Size = sizeof(instance);
  instance.NpiId = npi_id;
  instance.ModuleId = module;
  return instance;
}

static inline NPI_CLIENT_CHARACTERISTICS client_of(
    PNPIID npi_id, PNPI_MODULEID module, PNPI_CLIENT_ATTACH_PROVIDER_FN attach,
    PNPI_CLIENT_DETACH_PROVIDER_FN detach, PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN cleanup)
{
  NPI_CLIENT_CHARACTERISTICS client;
  memset(&client, 0, sizeof(client));
  client.Length = sizeof(client);
  client.ClientAttachProvider = attach;
  client.ClientDetachProvider = detach;
  client.ClientCleanupBindingContext = cleanup;
  client.ClientRegistrationInstance = instance_of(npi_id, module);
  return client;
}

static inline NPI_PROVIDER_CHARACTERISTICS provider_of(
    PNPIID npi_id, PNPI_MODULEID module, PNPI_PROVIDER_ATTACH_CLIENT_FN attach,
    PNPI_PROVIDER_DETACH_CLIENT_FN detach, PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN cleanup)
{
  NPI_PROVIDER_CHARACTERISTICS provider;
  memset(&provider, 0, sizeof(provider));
  provider.Length = sizeof(provider);
  provider.ProviderAttachClient = attach;
  provider.ProviderDetachClient = detach;
  provider.ProviderCleanupBindingContext = cleanup;
  provider.ProviderRegistrationInstance = instance_of(npi_id, module);
  return provider;
}

static inline void leave_client(HANDLE client)
{
  CHECK_STATUS(NmrDeregisterClient(client), STATUS_PENDING);
  CHECK_STATUS(NmrWaitForClientDeregisterComplete(client), STATUS_SUCCESS);
}

static inline void leave_provider(HANDLE provider)
{
  CHECK_STATUS(NmrDeregisterProvider(provider), STATUS_PENDING);
  CHECK_STATUS(NmrWaitForProviderDeregisterComplete(provider), STATUS_SUCCESS);
}

/* Nothing is left in a registrar (C19). */
static inline void check_quiet(HANDLE registrar)
{
  ULONGLONG registrations = 1, bindings = 1;
  CHECK_STATUS(NmrExCount(registrar, &registrations, &bindings), STATUS_SUCCESS);
  CHECK(registrations == 0);
  CHECK(bindings == 0);
}

static inline pthread_t start(void *(*body)(void *), void *argument)
{
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, argument) == 0);
  return thread;
}

static inline void join(pthread_t thread)
{
  CHECK(pthread_join(thread, NULL) == 0);
}

/* The callbacks of modules that take everybody and detach at once. */
static inline NTSTATUS take_provider(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  PVOID provider_context;
  const VOID *dispatch;
  (void)provider;
  return NmrClientAttachProvider(binding, context, NULL, &provider_context, &dispatch);
}

static inline NTSTATUS take_client(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                                   PVOID client_context, const VOID *client_dispatch,
                                   PVOID *provider_context, const VOID **dispatch)
{
  (void)binding;
  (void)client;
  (void)client_context;
  (void)client_dispatch;
  *provider_context = context;
  *dispatch = NULL;
  return STATUS_SUCCESS;
}

static inline NTSTATUS detach_at_once(PVOID context)
{
  (void)context;
  return STATUS_SUCCESS;
}

#endif
