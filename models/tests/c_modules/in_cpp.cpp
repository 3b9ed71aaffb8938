// A client in C++ that attaches to nobody, with a file of this language that brings along what drives it.
#define NMREX_IMPLEMENTATION
#include <nmrex_module.h>

#include <cassert>
#include <cstring>

static HANDLE Client;
static char *Text;

static NTSTATUS Attach(HANDLE, PVOID, PNPI_REGISTRATION_INSTANCE)
{
  return STATUS_NOINTERFACE;
}

static NTSTATUS Detach(PVOID)
{
  return STATUS_SUCCESS;
}

static const NPIID Interface = {1, 2, 3, {4}};
static const NPI_MODULEID Module = {sizeof(NPI_MODULEID), MIT_GUID, {{5, 0, 0, {0}}}};
static NPI_CLIENT_CHARACTERISTICS Characteristics;

static NTSTATUS Register()
{
  Text = strdup("text");
  Characteristics.Length = sizeof(Characteristics);
  Characteristics.ClientAttachProvider = Attach;
  Characteristics.ClientDetachProvider = Detach;
  Characteristics.ClientRegistrationInstance.Size = sizeof(NPI_REGISTRATION_INSTANCE);
  Characteristics.ClientRegistrationInstance.NpiId = &Interface;
  Characteristics.ClientRegistrationInstance.ModuleId = &Module;
  return NmrRegisterClient(&Characteristics, nullptr, &Client);
}

static VOID Deregister()
{
  NmrDeregisterClient(Client);
}

static VOID Wait()
{
  NmrWaitForClientDeregisterComplete(Client);
  assert(std::strcmp(Text, "text") == 0);
  free(Text);
#ifdef FREES_TWICE
  free(Text);
#endif
}

const NMREX_MODULE NmrExModule = {sizeof(NMREX_MODULE), 0, Register, Deregister, Wait, nullptr, nullptr, nullptr, nullptr};
