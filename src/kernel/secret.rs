//! The server's key and what is derived from it. Nothing derived is ever stored.

use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

/// Bytes in a server key.
pub const KEY_BYTES: usize = 32;

/// The secret every server over one database shares.
#[derive(Clone, Debug)]
pub struct ServerKey(SecretSlice<u8>);

impl ServerKey {
    /// A fresh random key, as the hexadecimal text in which it is stored.
    pub fn generate_hex() -> String {
        data_encoding::HEXLOWER.encode(&random::<KEY_BYTES>())
    }

    /// Reads a key from at least 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?;
        (bytes.len() >= KEY_BYTES).then(|| Self(bytes.into()))
    }

    /// HMAC-SHA256 of `parts` under this key, for one `purpose` only.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = match Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) {
            Ok(mac) => mac,
            // HMAC takes keys of every length, so this cannot be reached.
            Err(_) => return [0; 32],
        };
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            // Length first: no two lists of parts give the same bytes.
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Random bytes from the operating system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
