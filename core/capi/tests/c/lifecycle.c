/* The life of a client and a provider, from registering to the last cleanup: core/examples/lifecycle.rs in C.
 *
 * A provider offers greetings; a client attaches and calls it through its dispatch table. Then the provider leaves.
 * It has a greeting under way on another thread, so it answers its detach callback with STATUS_PENDING and
 * completes when that one is done. */
#include "test.h"

/* The interface that both sides were written for: its name stands for this dispatch table. */
static const NPIID GREETING_NPI = {0x8f1c65a0, 0x0b5e, 0x4a57, {0x9a, 0x57, 0x3c, 0x2f, 0x64, 0xf0, 0x1d, 0x02}};

typedef struct {
  void (*greet)(void *provider_binding_context, const char *name, char *text, size_t size);
} GREETINGS;

/* What happened, in order: a callback each, by what it printed. */
static char history[1024];

static void happened(const char *what)
{
  printf("%s\n", what);
  strncat(history, what, sizeof(history) - strlen(history) - 2);
  strcat(history, "\n");
}

/* The client. */
typedef struct {
  HANDLE binding;
  void *provider_context;
  const GREETINGS *greetings;
} GREETER;

static NTSTATUS greeter_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
  GREETER *greeter = (GREETER *)context;
  const VOID *dispatch = NULL;
  NTSTATUS status;

  CHECK(provider->ModuleId->Guid.Data1 == 0xF);
  happened("client:    is offered a provider");
  if (greeter->greetings != NULL) {
    return STATUS_NOINTERFACE;
  }
  status = NmrClientAttachProvider(binding, greeter, NULL, &greeter->provider_context, &dispatch);
  if (NT_SUCCESS(status)) {
    greeter->binding = binding;
    greeter->greetings = (const GREETINGS *)dispatch;
    happened("client:    is attached");
  }
  return status;
}

static NTSTATUS greeter_detach(PVOID binding_context)
{
  GREETER *greeter = (GREETER *)binding_context;
  greeter->greetings = NULL;
  happened("client:    is asked to detach: complete");
  return STATUS_SUCCESS;
}

static VOID greeter_cleanup(PVOID binding_context)
{
  (void)binding_context;
  happened("client:    cleans up");
}

/* The provider. */
typedef struct {
  HANDLE binding;
  pthread_t worker;
  int sent[2];
} OFFICE;

static void greet(void *provider_binding_context, const char *name, char *text, size_t size)
{
  (void)provider_binding_context;
  snprintf(text, size, "Hello, %s!", name);
}

static const GREETINGS office_dispatch = {greet};

static NTSTATUS office_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                              PVOID client_context, const VOID *client_dispatch,
                              PVOID *provider_context, const VOID **dispatch)
{
  OFFICE *office = (OFFICE *)context;
  CHECK(client->ModuleId->Guid.Data1 == 0xC);
  CHECK(client_context != NULL && client_dispatch == NULL);
  happened("provider:  takes the client");
  office->binding = binding;
  *provider_context = office;
  *dispatch = &office_dispatch;
  return STATUS_SUCCESS;
}

static void *office_work(void *argument)
{
  OFFICE *office = (OFFICE *)argument;
  char byte;
  CHECK(read(office->sent[0], &byte, 1) == 1);
  happened("worker:    the greeting is sent, the provider's detach is complete");
  /* The cleanup callbacks run in here. */
  NmrProviderDetachClientComplete(office->binding);
  return NULL;
}

static NTSTATUS office_detach(PVOID binding_context)
{
  OFFICE *office = (OFFICE *)binding_context;
  happened("provider:  is asked to detach: pending, a greeting is still under way");
  office->worker = start(office_work, office);
  return STATUS_PENDING;
}

static VOID office_cleanup(PVOID binding_context)
{
  (void)binding_context;
  happened("provider:  cleans up");
}

static const char expected[] =
    "main:      registers the client\n"
    "main:      registers the provider\n"
    "client:    is offered a provider\n"
    "provider:  takes the client\n"
    "client:    is attached\n"
    "main:      deregisters the provider\n"
    "client:    is asked to detach: complete\n"
    "provider:  is asked to detach: pending, a greeting is still under way\n"
    "worker:    the greeting is sent, the provider's detach is complete\n"
    "client:    cleans up\n"
    "provider:  cleans up\n"
    "main:      the provider is gone\n"
    "main:      the client is gone\n";

int main(void)
{
  const NPI_MODULEID greeter_id = module_id(0xC), office_id = module_id(0xF);
  const NPI_CLIENT_CHARACTERISTICS greeter_is =
      client_of(&GREETING_NPI, &greeter_id, greeter_attach, greeter_detach, greeter_cleanup);
  const NPI_PROVIDER_CHARACTERISTICS office_is =
      provider_of(&GREETING_NPI, &office_id, office_attach, office_detach, office_cleanup);
  GREETER greeter;
  OFFICE office;
  HANDLE client, provider;
  char text[64];

  watchdog(600);
  memset(&greeter, 0, sizeof(greeter));
  memset(&office, 0, sizeof(office));
  CHECK(pipe(office.sent) == 0);

  happened("main:      registers the client");
  CHECK_STATUS(NmrRegisterClient(&greeter_is, &greeter, &client), STATUS_SUCCESS);
  happened("main:      registers the provider");
  CHECK_STATUS(NmrRegisterProvider(&office_is, &office, &provider), STATUS_SUCCESS);

  greeter.greetings->greet(greeter.provider_context, "world", text, sizeof(text));
  CHECK(strcmp(text, "Hello, world!") == 0);

  happened("main:      deregisters the provider");
  CHECK_STATUS(NmrDeregisterProvider(provider), STATUS_PENDING);
  CHECK(write(office.sent[1], "", 1) == 1);
  CHECK_STATUS(NmrWaitForProviderDeregisterComplete(provider), STATUS_SUCCESS);
  happened("main:      the provider is gone");
  join(office.worker);

  leave_client(client);
  happened("main:      the client is gone");
  CHECK(strcmp(history, expected) == 0);
  check_quiet(NULL);
  close(office.sent[0]);
  close(office.sent[1]);
  return 0;
}
