//! What a module's characteristics have to be like. A structure that is not is refused before anything is done.

use nmr::NpiId;

use crate::abi::{
    GUID, MIT_GUID, MIT_IF_LUID, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, PNPI_CLIENT_CHARACTERISTICS,
    PNPI_PROVIDER_CHARACTERISTICS, USHORT,
};

/// What is wrong, in words for the log.
pub(crate) type Fault = &'static str;

/// Looks at a client's characteristics; the interface that they name.
///
/// # Safety
/// A pointer that is not NULL points to a structure that is as long as it says, with pointers that are NULL or
/// valid, and nobody changes it.
pub(crate) unsafe fn client(client: PNPI_CLIENT_CHARACTERISTICS) -> Result<NpiId, Fault> {
    if client.is_null() || !client.is_aligned() {
        return Err("the characteristics are NULL or not aligned");
    }
    // SAFETY: the caller says that it is valid; a short one has at least this.
    let version = unsafe { (*client).Version };
    // SAFETY: as above.
    let length = unsafe { (*client).Length };
    head::<NPI_CLIENT_CHARACTERISTICS>(version, length)?;
    // SAFETY: it is as long as the structure.
    let client = unsafe { &*client };
    if client.ClientAttachProvider.is_none() || client.ClientDetachProvider.is_none() {
        return Err("a callback that has to be there is NULL");
    }
    // SAFETY: what the caller says of the structure holds for its instance.
    unsafe { instance(&client.ClientRegistrationInstance) }
}

/// As [`client`], of a provider's.
///
/// # Safety
/// As [`client`].
pub(crate) unsafe fn provider(provider: PNPI_PROVIDER_CHARACTERISTICS) -> Result<NpiId, Fault> {
    if provider.is_null() || !provider.is_aligned() {
        return Err("the characteristics are NULL or not aligned");
    }
    // SAFETY: the caller says that it is valid; a short one has at least this.
    let version = unsafe { (*provider).Version };
    // SAFETY: as above.
    let length = unsafe { (*provider).Length };
    head::<NPI_PROVIDER_CHARACTERISTICS>(version, length)?;
    // SAFETY: it is as long as the structure.
    let provider = unsafe { &*provider };
    if provider.ProviderAttachClient.is_none() || provider.ProviderDetachClient.is_none() {
        return Err("a callback that has to be there is NULL");
    }
    // SAFETY: what the caller says of the structure holds for its instance.
    unsafe { instance(&provider.ProviderRegistrationInstance) }
}

fn head<T>(version: USHORT, length: USHORT) -> Result<(), Fault> {
    if version != 0 {
        Err("the version is not 0")
    } else if usize::from(length) != size_of::<T>() {
        Err("the length is not that of the structure")
    } else {
        Ok(())
    }
}

/// # Safety
/// The pointers in it are NULL or valid.
unsafe fn instance(instance: &NPI_REGISTRATION_INSTANCE) -> Result<NpiId, Fault> {
    head::<NPI_REGISTRATION_INSTANCE>(instance.Version, instance.Size)?;
    if instance.NpiId.is_null() || instance.ModuleId.is_null() {
        return Err("the interface or the module has no identifier");
    }
    // SAFETY: it is not NULL, so the caller says that it is valid. Kernel code has identifiers in packed structures.
    let module = unsafe { instance.ModuleId.read_unaligned() };
    if usize::from(module.Length) != size_of::<NPI_MODULEID>() {
        return Err("the length of the module's identifier is not that of the structure");
    }
    if ![MIT_GUID, MIT_IF_LUID].contains(&module.Type) {
        return Err("the module's identifier is of no known type");
    }
    // SAFETY: as above.
    let npi = unsafe { instance.NpiId.read_unaligned() };
    Ok(npi_id(npi))
}

/// A GUID as the number that is written like it.
fn npi_id(guid: GUID) -> NpiId {
    NpiId(
        u128::from(guid.Data1) << 96
            | u128::from(guid.Data2) << 80
            | u128::from(guid.Data3) << 64
            | u128::from(u64::from_be_bytes(guid.Data4)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_written_in_the_same_groups() {
        let guid = GUID {
            Data1: 0x0123_4567,
            Data2: 0x89ab,
            Data3: 0xcdef,
            Data4: [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef],
        };
        assert_eq!(
            npi_id(guid).to_string(),
            "01234567-89ab-cdef-0123-456789abcdef"
        );
    }
}
