//! `xenc:EncryptedKey`: content keys wrapped for one recipient each (XML Encryption 1.1, 3.5.1 and 5.5.2).

use std::cmp::Reverse;

use zeroize::Zeroizing;

use super::oaep::{Oaep, OaepHash};
use super::{Recipient, base64_text, cipher_value, failed, only};
use crate::rejection::Rejection;
use crate::sp_key::SpKey;
use crate::xml::{Element, namespace};

/// Most encrypted keys in an assertion. A federation's identity provider may wrap for a handful of recipients.
const MAX_ENCRYPTED_KEYS: usize = 16;

/// Most private key operations for a message, before anyone is authenticated: two keys of ours during a rotation, each
/// with its own encrypted key, and one recipient besides who gives no hint.
const MAX_OPERATIONS: usize = 4;

pub(crate) const RSA_OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const RSA_OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";

/// A wrapped key that could be for us.
pub(super) struct EncryptedKey {
    oaep: Oaep,
    ciphertext: Vec<u8>,
    /// `Recipient`, a hint.
    recipient: Option<String>,
    /// Certificates in its `KeyInfo`, a hint.
    certificates: Vec<Vec<u8>>,
}

/// The keys inside the data's `KeyInfo` and beside the data (core 2.3.4): by value only, references are not
/// followed. Those that cannot be for us are left out; if all of them are, the refusal names their algorithms.
pub(super) fn usable(encrypted: &Element<'_, '_>, data: &Element<'_, '_>) -> Result<Vec<EncryptedKey>, Rejection> {
    let inside = data.child(namespace::SIGNATURE, "KeyInfo");
    let parents = [inside, Some(*encrypted)].into_iter().flatten();
    let elements: Vec<_> = parents
        .flat_map(|parent| parent.children_named(namespace::ENCRYPTION, "EncryptedKey"))
        .take(MAX_ENCRYPTED_KEYS.saturating_add(1))
        .collect();
    if elements.len() > MAX_ENCRYPTED_KEYS {
        return Err(failed().got(format!("more than {MAX_ENCRYPTED_KEYS} encrypted keys")));
    }
    let (mut keys, mut refused) = (Vec::new(), Vec::new());
    for element in &elements {
        match only(element, namespace::ENCRYPTION, "EncryptionMethod").map(|method| oaep(&method)) {
            Some(Ok(oaep)) => keys.extend(encrypted_key(element, oaep)),
            Some(Err(uri)) => refused.push(uri),
            None => {}
        }
    }
    if keys.is_empty() && !refused.is_empty() { Err(failed().got(refused.join(" "))) } else { Ok(keys) }
}

fn encrypted_key(element: &Element<'_, '_>, oaep: Oaep) -> Option<EncryptedKey> {
    let data = element.child(namespace::SIGNATURE, "KeyInfo").into_iter();
    let data = data.flat_map(|info| info.children_named(namespace::SIGNATURE, "X509Data"));
    let certificates = data.flat_map(|data| data.children_named(namespace::SIGNATURE, "X509Certificate"));
    Some(EncryptedKey {
        oaep,
        ciphertext: cipher_value(element)?,
        recipient: element.attribute("Recipient").map(str::to_owned),
        certificates: certificates.filter_map(|one| base64_text(&one)).collect(),
    })
}

/// The variant of OAEP, or the name of what is not accepted. Digest and mask default to SHA-1; under the older
/// name the mask always is MGF1 with SHA-1.
fn oaep(method: &Element<'_, '_>) -> Result<Oaep, String> {
    let algorithm = method.attribute("Algorithm").unwrap_or_default();
    if algorithm != RSA_OAEP && algorithm != RSA_OAEP_MGF1P {
        return Err(algorithm.to_owned());
    }
    let named = |namespace, local, hash: fn(&str) -> Option<OaepHash>| match method.child(namespace, local) {
        Some(child) => {
            let uri = child.attribute("Algorithm").unwrap_or_default();
            hash(uri).ok_or_else(|| uri.to_owned())
        }
        None => Ok(OaepHash::Sha1),
    };
    let digest = named(namespace::SIGNATURE, "DigestMethod", OaepHash::from_digest_uri)?;
    let mask = named(namespace::ENCRYPTION_11, "MGF", OaepHash::from_mask_uri)?;
    if algorithm == RSA_OAEP_MGF1P && mask != OaepHash::Sha1 {
        return Err(format!("{algorithm} with another mask than MGF1 with SHA-1"));
    }
    let label = match method.child(namespace::ENCRYPTION, "OAEPparams") {
        Some(label) => base64_text(&label).ok_or_else(|| format!("{algorithm} with OAEPparams that are not base64"))?,
        None => Vec::new(),
    };
    Ok(Oaep { digest, mask, label })
}

/// The first content key of that length which one of our keys yields.
pub(super) fn unwrapped(
    encrypted: &[EncryptedKey],
    recipient: &Recipient<'_>,
    length: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let unwrapped = |(encrypted, own): (&EncryptedKey, &SpKey)| {
        own.decrypting().decrypt(&encrypted.oaep, &encrypted.ciphertext).filter(|key| key.len() == length)
    };
    attempts(encrypted, recipient).into_iter().find_map(unwrapped)
}

/// Pairs of encrypted keys and our keys to try, the likely ones first. The recipients that a message names decide
/// about the order alone: they may be stale, and prove nothing that the padding does not.
fn attempts<'k>(encrypted: &'k [EncryptedKey], recipient: &Recipient<'k>) -> Vec<(&'k EncryptedKey, &'k SpKey)> {
    let of_own = |own: &'k SpKey| encrypted.iter().map(move |key| (key, own));
    let mut pairs: Vec<_> = recipient.keys.iter().flat_map(of_own).collect();
    pairs.retain(|(key, own)| key.ciphertext.len() == own.decrypting().modulus_length());
    // Stable, so that the current key comes before older ones.
    pairs.sort_by_key(|(key, own)| Reverse(likelihood(key, own, recipient)));
    pairs.truncate(MAX_OPERATIONS);
    pairs
}

fn likelihood(key: &EncryptedKey, own: &SpKey, recipient: &Recipient<'_>) -> i32 {
    let by_certificate = match key.certificates.as_slice() {
        [] => 0,
        some if some.iter().any(|one| one == own.certificate_der()) => 2,
        _ => -2,
    };
    let by_name = match key.recipient.as_deref() {
        None => 0,
        Some(name) if name == recipient.entity_id => 1,
        Some(_) => -1,
    };
    by_certificate + by_name
}
