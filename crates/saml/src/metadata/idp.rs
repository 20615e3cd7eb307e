//! An identity provider's metadata, as pasted, uploaded or fetched: hostile until read through the guard.

use jiff::Timestamp;
use url::Url;

use super::Binding;
use super::mistaken::Mistaken;
use crate::certificate::{IdpCertificate, MAX_CERTIFICATES, parse_base64_certificate};
use crate::instant;
use crate::reason::Reason;
use crate::xml::parse::parse;
use crate::xml::{Bounds, Element, namespace};

/// Bounds of metadata: one identity provider, or an organization's few dozens of entities. Federations' aggregates of
/// a hundred megabytes are for other tools.
const BOUNDS: Bounds = Bounds {
    length: 4 * 1024 * 1024,
    depth: 48,
    nodes: 100_000,
    attributes: 100_000,
    attributes_per_element: 64,
    namespaces_in_scope: 128,
    // Nothing is canonicalized here.
    namespace_lookups: usize::MAX,
};

/// Longest `entityID`, in bytes (metadata 2.2.1).
const MAX_ENTITY_ID: usize = 1024;

/// Longest location, in bytes: what browsers and proxies carry, with room for a request.
const MAX_LOCATION: usize = 2048;

/// Most of anything that is read or reported in a list.
const MAX_LISTED: usize = 20;

/// A service at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The SAML binding that the service uses.
    pub binding: Binding,
    /// The URL of the service.
    pub location: Url,
}

/// The parts of an identity provider's metadata that a connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpMetadata {
    /// `entityID`, exactly.
    pub entity_id: String,
    /// Single sign-on services, in document order.
    pub sso: Vec<Endpoint>,
    /// Single logout services, in document order.
    pub slo: Vec<Endpoint>,
    /// Signing certificates, at least one of them valid now.
    pub certificates: Vec<IdpCertificate>,
    /// `WantAuthnRequestsSigned`.
    pub want_authn_requests_signed: bool,
    /// `NameIDFormat`s, in document order.
    pub name_id_formats: Vec<String>,
    /// The earliest `validUntil` that applies.
    pub valid_until: Option<Timestamp>,
    /// The parts that were left out, with reasons for the administrator to read.
    pub ignored: Vec<String>,
}

/// Options for reading an identity provider's metadata.
#[derive(Debug, Clone, Default)]
pub struct MetadataOptions {
    /// Whether http locations are accepted too: for development alone.
    pub allow_http: bool,
    /// `entityID` of the identity provider to take; needed if the document describes several.
    pub entity_id: Option<String>,
}

/// Reason that metadata cannot be used; each message says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not well-formed, or not safe to parse; with the guard's reason.
    #[error("the metadata is not acceptable XML ({reason}): download it again from the identity provider")]
    Xml {
        /// Reason of the XML guard.
        reason: Reason,
    },
    /// The document is something other than metadata.
    #[error("what was given {}", .0.advice())]
    Mistaken(Mistaken),
    /// Bytes that are not text in the encoding that they are said to have, or in one that is not read here.
    #[error("the metadata is not text in {name}: save it as UTF-8, or have its XML declaration name its encoding")]
    Encoding {
        /// The name of the encoding.
        name: String,
    },
    /// No identity provider inside.
    #[error(
        "the metadata describes no identity provider: use the identity provider's metadata, not a service provider's"
    )]
    NoIdentityProvider,
    /// Several identity providers, and none was chosen.
    #[error("the metadata describes {count} identity providers ({}): send the entity_id of the one to take", shown(.entity_ids, *.count))]
    SeveralIdentityProviders {
        /// The first entity ids, 20 at most.
        entity_ids: Vec<String>,
        /// The number of identity providers in the document.
        count: usize,
    },
    /// The document has no identity provider by the entity id that was asked for.
    #[error("the metadata describes no identity provider of this entity_id; it has {}", shown(.entity_ids, *.count))]
    NotAmongThem {
        /// The first entity ids, 20 at most.
        entity_ids: Vec<String>,
        /// The number of identity providers in the document.
        count: usize,
    },
    /// Several by the entity id that was asked for.
    #[error("the metadata describes {entity_id} more than once: have that corrected where it comes from")]
    Repeated {
        /// The `entityID` that is repeated.
        entity_id: String,
    },
    /// An absent or malformed `entityID`.
    #[error("the metadata has no usable entityID")]
    EntityId,
    /// A `validUntil` that cannot be parsed.
    #[error("the metadata has a validUntil that is not a time")]
    ValidUntil,
    /// `validUntil` has passed.
    #[error("the metadata expired at {valid_until}: download it again from the identity provider")]
    Expired {
        /// The `validUntil` that has passed.
        valid_until: Timestamp,
    },
    /// No location that can be used.
    #[error("the metadata has no single sign-on service with HTTP-Redirect or HTTP-POST at an https location{}", list(.ignored))]
    NoSingleSignOn {
        /// The reasons why those in the document were left out.
        ignored: Vec<String>,
    },
    /// No certificate that can be used now.
    #[error("the metadata has no signing certificate that is valid now{}", list(.ignored))]
    NoCertificate {
        /// The reasons why those in the document were left out.
        ignored: Vec<String>,
    },
}

/// The first entity ids, and how many more there are.
fn shown(entity_ids: &[String], count: usize) -> String {
    match count.saturating_sub(entity_ids.len()) {
        0 => entity_ids.join(", "),
        more => format!("{} and {more} more", entity_ids.join(", ")),
    }
}

fn list(reasons: &[String]) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    format!(": {}", reasons.join("; "))
}

/// Reads metadata of exactly one identity provider. A signature on it is ignored: the trust is in how it came.
pub fn parse_idp_metadata(xml: &str, now: Timestamp, options: &MetadataOptions) -> Result<IdpMetadata, MetadataError> {
    if let Some(mistaken) = Mistaken::text(xml) {
        return Err(MetadataError::Mistaken(mistaken));
    }
    let document = parse(xml, &BOUNDS).map_err(|error| MetadataError::Xml { reason: error.0 })?;
    let root = document.root().ok_or(MetadataError::Mistaken(Mistaken::Nothing))?;
    let (entity, role) = identity_provider(&root, options.entity_id.as_deref())?;
    let valid_until = valid_until(&[root, entity, role], now)?;
    let mut reading = Reading { now, allow_http: options.allow_http, ignored: Vec::new() };
    let sso = reading.endpoints(&role, "SingleSignOnService");
    if sso.is_empty() {
        return Err(MetadataError::NoSingleSignOn { ignored: reading.ignored });
    }
    let certificates = reading.certificates(&role);
    if !certificates.iter().any(|certificate| certificate.is_valid_at(now)) {
        return Err(MetadataError::NoCertificate { ignored: reading.ignored });
    }
    Ok(IdpMetadata {
        entity_id: entity_id(&entity)?,
        sso,
        slo: reading.endpoints(&role, "SingleLogoutService"),
        certificates,
        want_authn_requests_signed: matches!(role.attribute("WantAuthnRequestsSigned"), Some("true" | "1")),
        name_id_formats: role
            .children_named(namespace::METADATA, "NameIDFormat")
            .take(MAX_LISTED)
            .map(|format| format.deep_text().trim().to_owned())
            .collect(),
        valid_until,
        ignored: reading.ignored,
    })
}

/// An entity that is a SAML 2.0 identity provider, with that role.
type Provider<'d, 'a> = (Element<'d, 'a>, Element<'d, 'a>);

/// The only identity provider, or the one of this entity id.
fn identity_provider<'d, 'a>(root: &Element<'d, 'a>, wanted: Option<&str>) -> Result<Provider<'d, 'a>, MetadataError> {
    let mut entities = Vec::new();
    collect_entities(root, &mut entities);
    if entities.is_empty() && !is_list(root) {
        return Err(MetadataError::Mistaken(Mistaken::element(root)));
    }
    let providers: Vec<Provider<'_, '_>> =
        entities.into_iter().filter_map(|entity| Some((entity, identity_provider_role(&entity)?))).collect();
    let count = providers.len();
    let entity_ids =
        || providers.iter().filter_map(|(entity, _)| entity_id(entity).ok()).take(MAX_LISTED).collect::<Vec<_>>();
    let Some(wanted) = wanted else {
        return match providers.as_slice() {
            [] => Err(MetadataError::NoIdentityProvider),
            [only] => Ok(*only),
            _ => Err(MetadataError::SeveralIdentityProviders { entity_ids: entity_ids(), count }),
        };
    };
    let mut of_this_id = providers.iter().filter(|(entity, _)| entity.attribute("entityID") == Some(wanted));
    match (of_this_id.next(), of_this_id.next()) {
        (Some(only), None) => Ok(*only),
        (Some(_), Some(_)) => Err(MetadataError::Repeated { entity_id: wanted.to_owned() }),
        (None, _) if count == 0 => Err(MetadataError::NoIdentityProvider),
        (None, _) => Err(MetadataError::NotAmongThem { entity_ids: entity_ids(), count }),
    }
}

fn is_list(element: &Element<'_, '_>) -> bool {
    element.is(namespace::METADATA, "EntitiesDescriptor")
}

// The depth is bounded by the parser.
fn collect_entities<'d, 'a>(element: &Element<'d, 'a>, entities: &mut Vec<Element<'d, 'a>>) {
    if element.is(namespace::METADATA, "EntityDescriptor") {
        entities.push(*element);
    } else if is_list(element) {
        element.children().for_each(|child| collect_entities(&child, entities));
    }
}

fn identity_provider_role<'d, 'a>(entity: &Element<'d, 'a>) -> Option<Element<'d, 'a>> {
    entity.children_named(namespace::METADATA, "IDPSSODescriptor").find(|role| {
        let protocols = role.attribute("protocolSupportEnumeration").unwrap_or_default();
        protocols.split_ascii_whitespace().any(|protocol| protocol == namespace::PROTOCOL)
    })
}

fn entity_id(entity: &Element<'_, '_>) -> Result<String, MetadataError> {
    entity
        .attribute("entityID")
        .filter(|id| !id.is_empty() && id.len() <= MAX_ENTITY_ID)
        .map(str::to_owned)
        .ok_or(MetadataError::EntityId)
}

fn valid_until(elements: &[Element<'_, '_>], now: Timestamp) -> Result<Option<Timestamp>, MetadataError> {
    let mut earliest = None;
    for text in elements.iter().filter_map(|element| element.attribute("validUntil")) {
        let time = instant::parse(text).ok_or(MetadataError::ValidUntil)?;
        if time <= now {
            return Err(MetadataError::Expired { valid_until: time });
        }
        earliest = Some(earliest.map_or(time, |known: Timestamp| known.min(time)));
    }
    Ok(earliest)
}

/// Context of reading one document; `ignored` holds the reasons for the parts that are left out.
struct Reading {
    now: Timestamp,
    allow_http: bool,
    ignored: Vec<String>,
}

impl Reading {
    fn endpoints(&mut self, role: &Element<'_, '_>, service: &str) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for element in role.children_named(namespace::METADATA, service).take(MAX_LISTED) {
            let uri = element.attribute("Binding").unwrap_or_default();
            let location = element.attribute("Location").unwrap_or_default();
            // SOAP, artifact and SAML 1 services stand beside ours everywhere: nothing to report.
            let Some(binding) = Binding::from_uri(uri) else { continue };
            match self.location(location) {
                Some(location) => endpoints.push(Endpoint { binding, location }),
                None => self.ignore(format!("{service} at {location}: not an https URL")),
            }
        }
        endpoints
    }

    fn location(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let scheme = url.scheme() == "https" || (self.allow_http && url.scheme() == "http");
        let plain = url.username().is_empty() && url.password().is_none() && url.has_host();
        (scheme && plain && text.len() <= MAX_LOCATION).then_some(url)
    }

    fn certificates(&mut self, role: &Element<'_, '_>) -> Vec<IdpCertificate> {
        let mut certificates: Vec<IdpCertificate> = Vec::new();
        for descriptor in role.children_named(namespace::METADATA, "KeyDescriptor").take(MAX_LISTED) {
            if !matches!(descriptor.attribute("use"), None | Some("signing")) {
                continue;
            }
            for text in certificate_texts(&descriptor) {
                match self.certificate(&text) {
                    Ok(known) if certificates.contains(&known) => {}
                    Ok(_) if certificates.len() >= MAX_CERTIFICATES => {
                        self.ignore(format!("a certificate beyond the first {MAX_CERTIFICATES}"));
                    }
                    Ok(certificate) => certificates.push(certificate),
                    Err(reason) => self.ignore(reason),
                }
            }
        }
        certificates
    }

    /// A certificate that is valid, or will be: identity providers publish the next one ahead.
    fn certificate(&self, text: &str) -> Result<IdpCertificate, String> {
        let certificate = parse_base64_certificate(text).map_err(|error| format!("a certificate: {error}"))?;
        if certificate.not_after < self.now {
            return Err(format!("certificate {}: expired at {}", certificate.subject, certificate.not_after));
        }
        Ok(certificate)
    }

    fn ignore(&mut self, reason: String) {
        if self.ignored.len() < MAX_LISTED {
            self.ignored.push(reason);
        }
    }
}

/// The first certificate of each `X509Data`: those after it are its chain (XML Signature 4.5.4), no keys to trust.
fn certificate_texts(descriptor: &Element<'_, '_>) -> Vec<String> {
    descriptor
        .children_named(namespace::SIGNATURE, "KeyInfo")
        .flat_map(|info| info.children())
        .filter(|child| child.is(namespace::SIGNATURE, "X509Data"))
        .filter_map(|data| data.child(namespace::SIGNATURE, "X509Certificate"))
        .take(MAX_LISTED)
        .map(|certificate| certificate.deep_text())
        .collect()
}
