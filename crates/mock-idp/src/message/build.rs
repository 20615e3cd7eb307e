//! Building of the bytes that travel from a specification: tree, signed assertion, encrypted assertion, signed
//! response, text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::response;
use super::signature::Signer;
use super::spec::ResponseSpec;
use super::xml::{Element, Node, Text};
use crate::identity::{IdentityError, SigningIdentity};

/// A response could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The key cannot make this signature.
    #[error("the response could not be signed")]
    Signing(#[from] IdentityError),
    /// The public key cannot be written as a `KeyValue`.
    #[error("the signing certificate's key cannot be written as a KeyValue")]
    PublicKey,
    /// The recipient's certificate has no RSA key, or encryption failed.
    #[error("the assertion could not be encrypted for the recipient's certificate")]
    Encryption,
}

/// Changes made on the way, to build what no specification can say. Each is a no-op by default.
#[derive(Clone, Copy)]
pub struct Edits<'a> {
    /// Edits before anything is signed: the signature will be valid for what this leaves.
    pub unsigned_response: &'a dyn Fn(&mut Element),
    /// Edits of each `SignedInfo`, after the digest was taken and before it is signed.
    pub signed_info: &'a dyn Fn(&mut Element),
}

impl Default for Edits<'_> {
    fn default() -> Self {
        Self { unsigned_response: &|_| {}, signed_info: &|_| {} }
    }
}

impl ResponseSpec {
    /// The response's XML. Pure but for the randomness inside ECDSA and OAEP.
    pub fn build(&self, identity: &SigningIdentity) -> Result<String, BuildError> {
        self.build_edited(identity, Edits::default())
    }

    /// Builds the text as [`build`](Self::build) does, with edits on the way.
    pub fn build_edited(&self, identity: &SigningIdentity, edits: Edits<'_>) -> Result<String, BuildError> {
        let tree = self.build_tree(identity, edits)?;
        Ok(self.document(&tree))
    }

    /// The signed tree, to be changed after signing and written with [`document`](Self::document).
    pub fn build_tree(&self, identity: &SigningIdentity, edits: Edits<'_>) -> Result<Element, BuildError> {
        let profile = self.shape.profile();
        let signer = Signer {
            identity,
            signing: &self.signing,
            prefix: profile.signature_prefix,
            wrapping: profile.base64_lines,
            edit_signed_info: edits.signed_info,
        };
        let mut tree = response::tree(self);
        (edits.unsigned_response)(&mut tree);
        self.finish_assertions(&mut tree, &signer)?;
        if self.signing.parts.response() {
            signer.sign(&mut tree, &[])?;
        }
        Ok(tree)
    }

    /// Writes a tree in this specification's shape.
    pub fn document(&self, tree: &Element) -> String {
        self.shape.profile().style.document(tree)
    }

    /// Signs, then encrypts each assertion in place.
    fn finish_assertions(&self, response: &mut Element, signer: &Signer<'_>) -> Result<(), BuildError> {
        let scope = response.declarations.clone();
        for node in &mut response.children {
            let Node::Element(child) = node else { continue };
            if child.local != "Assertion" {
                continue;
            }
            if self.signing.parts.assertion() {
                signer.sign(child, &scope)?;
            }
            if let Some(encryption) = &self.encryption {
                let profile = self.shape.profile();
                let text = self.document_without_prolog(&self_contained(child, &scope));
                *child = encryption.encrypt(&text, profile.assertion_prefix)?;
            }
        }
        Ok(())
    }

    fn document_without_prolog(&self, element: &Element) -> String {
        let mut style = self.shape.profile().style;
        style.prolog = "";
        style.document(element)
    }
}

/// Takes the ancestors' declarations along, so that the element can stand alone.
fn self_contained(element: &Element, scope: &[(Text, Text)]) -> Element {
    let mut copy = element.clone();
    for (prefix, namespace) in scope {
        if !copy.declarations.iter().any(|(own, _)| own == prefix) {
            copy.declarations.push((prefix.clone(), namespace.clone()));
        }
    }
    copy
}

/// The value of the form field `SAMLResponse` (SAML bindings section 3.5.4): base64 without line breaks.
pub fn form_value(xml: impl AsRef<[u8]>) -> String {
    BASE64.encode(xml.as_ref())
}
