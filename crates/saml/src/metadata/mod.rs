//! SAML metadata: reading an identity provider's, writing our own (metadata 2.0).

pub mod encoding;
pub mod idp;
pub mod mistaken;
pub mod sp;

/// Bindings of single sign-on and logout services that are spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// `urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect`.
    Redirect,
    /// `urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST`.
    Post,
}

impl Binding {
    /// URI that names the binding in metadata.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Redirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            Self::Post => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        }
    }

    /// The binding of a URI, if it is spoken here.
    pub fn from_uri(uri: &str) -> Option<Self> {
        [Self::Redirect, Self::Post].into_iter().find(|binding| binding.uri() == uri)
    }
}
