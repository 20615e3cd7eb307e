//! IdP metadata in, SP metadata out (C1, C5).

use domain::audit::AuditAction;
use domain::role::Permission;
use domain::sso::connection::{RequestBinding, SamlConnection, SpHash};
use domain::{AccountId, ConnectionId};
use jiff::Timestamp;
use saml::{
    Binding, Endpoint, IdpMetadata, MetadataError, MetadataOptions, SpMetadata, decode_metadata, parse_idp_metadata,
    pasted_metadata, request_id,
};
use url::Url;

use crate::connections::Connections;
use crate::connections::patch::{pin, without_repeats};
use crate::connections::{Change, ConnectionView, connection};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::ports::{FetchError, MetadataBytes};
use crate::core::version::Versioned;

/// Import of an IdP's metadata from one source.
#[derive(Debug, Clone)]
pub struct MetadataImport {
    /// Source that the metadata comes from.
    pub source: MetadataInput,
    /// The IdP's entity id; needed where the document describes several.
    pub entity_id: Option<String>,
}

/// Sources that IdP metadata can come from.
#[derive(Debug, Clone)]
pub enum MetadataInput {
    /// Text that was pasted, already decoded.
    Text(String),
    /// Uploaded: in the encoding that the document itself or HTTP names.
    Document(MetadataBytes),
    /// Fetched from here, now and at each refresh.
    Url(Url),
    /// Fetched from where it was fetched before.
    Refresh,
}

/// A document, and what is remembered of where it came from.
struct Obtained {
    document: Given,
    url: Option<Url>,
    entity_id: Option<String>,
}

/// A document as it came.
enum Given {
    Text(String),
    Bytes(MetadataBytes),
}

impl Given {
    fn parse(&self, now: Timestamp, options: &MetadataOptions) -> Result<IdpMetadata, MetadataError> {
        let xml = match self {
            Self::Text(text) => pasted_metadata(text),
            Self::Bytes(document) => decode_metadata(&document.bytes, document.charset.as_deref())?,
        };
        parse_idp_metadata(&xml, now, options)
    }
}

/// Result of an import of metadata.
#[derive(Debug, Clone)]
pub struct ImportReport {
    /// The connection as it is now.
    pub view: ConnectionView,
    /// Parts of the metadata that were not taken, with the reasons.
    pub ignored: Vec<String>,
}

impl Connections {
    /// Takes entity id, login URL, binding and certificates from IdP metadata; everything else stays.
    pub async fn import_idp_metadata(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<ConnectionId>,
        import: MetadataImport,
    ) -> Result<ImportReport> {
        caller.authorize(account_id, Permission::Administer)?;
        let Obtained { document, url: source, entity_id } = self.obtained(account_id, target.id, import).await?;
        let options = MetadataOptions { allow_http: self.core.settings.development, entity_id };
        let now = self.core.now();
        let parsed = tokio::task::spawn_blocking(move || document.parse(now, &options))
            .await
            .map_err(Error::internal)?
            .map_err(|error| Error::invalid(field(&error), error))?;
        let (login_url, request_binding) = preferred_endpoint(&parsed)?;
        let certificates = without_repeats(parsed.certificates.iter().map(pin).collect());
        let ignored = parsed.ignored;
        let apply = move |connection: &mut SamlConnection| {
            let settings = &mut connection.settings;
            settings.idp_entity_id = Some(parsed.entity_id);
            settings.login_url = Some(login_url);
            settings.request_binding = request_binding;
            settings.certificates = certificates;
            settings.sign_requests |= parsed.want_authn_requests_signed;
            settings.metadata_url = source.or_else(|| settings.metadata_url.take());
            Ok(())
        };
        let change = Change { action: AuditAction::SamlConnectionIdpMetadataImported, apply: Box::new(apply) };
        let view = self.change_connection(caller, account_id, target, change).await?;
        Ok(ImportReport { view, ignored })
    }

    async fn obtained(&self, account_id: AccountId, id: ConnectionId, import: MetadataImport) -> Result<Obtained> {
        let MetadataImport { source, mut entity_id } = import;
        let url = match source {
            MetadataInput::Text(text) => return Ok(Obtained { document: Given::Text(text), url: None, entity_id }),
            MetadataInput::Document(bytes) => {
                return Ok(Obtained { document: Given::Bytes(bytes), url: None, entity_id });
            }
            MetadataInput::Url(url) => {
                self.check_metadata_url(&url)?;
                url
            }
            MetadataInput::Refresh => {
                let mut tx = self.core.store.read().await?;
                let settings = connection(&mut tx, account_id, id).await?.settings;
                // A document of several IdPs was chosen from once: the choice stays until another is made.
                entity_id = entity_id.or(settings.idp_entity_id);
                let missing = "is not set: import the metadata by metadata_url once, then it can be refreshed";
                settings.metadata_url.ok_or_else(|| Error::invalid("/metadata_url", missing))?
            }
        };
        let refused = |error: FetchError| Error::new(Code::MetadataUnavailable).with_detail(error.0);
        let bytes = self.core.ports.metadata_source.fetch(&url).await.map_err(refused)?;
        Ok(Obtained { document: Given::Bytes(bytes), url: Some(url), entity_id })
    }

    /// The metadata of a portal's service provider (SAML metadata, section 2.4.4); there from the connection's first
    /// day, because the identity provider is set up with it.
    pub async fn sp_metadata(&self, hash: &SpHash, signed: bool) -> Result<String> {
        let mut tx = self.core.store.read().await?;
        let found = storage::connections::by_sp_hash(&mut tx, hash).await?;
        let found = found.ok_or_else(|| Error::new(Code::NotFound))?;
        let records = self.usable_sp_keys(&mut tx, found.account_id, found.id).await?;
        drop(tx);
        let keys = records.iter().map(|record| self.open_sp_key(record)).collect::<Result<Vec<_>>>()?;
        let url = self.acs_url(hash);
        let metadata = SpMetadata {
            entity_id: &url,
            acs_url: &url,
            slo_url: None,
            keys: &keys,
            authn_requests_signed: found.settings.sign_requests,
            name_id_format: found.settings.name_id_format.as_deref(),
            valid_until: None,
        };
        let signing = if signed { keys.first() } else { None };
        metadata.to_xml(signing, &request_id(&self.core.random::<20>())).map_err(Error::internal)
    }
}

/// The field of the request that metadata is refused by.
const fn field(error: &MetadataError) -> &'static str {
    match error {
        MetadataError::SeveralIdentityProviders { .. }
        | MetadataError::NotAmongThem { .. }
        | MetadataError::Repeated { .. } => "/entity_id",
        _ => "/metadata",
    }
}

/// The endpoint that requests go to: by redirect where there is one, because it needs no script in the browser.
fn preferred_endpoint(metadata: &IdpMetadata) -> Result<(Url, RequestBinding)> {
    let find = |binding| metadata.sso.iter().find(move |endpoint: &&Endpoint| endpoint.binding == binding);
    let redirect = find(Binding::Redirect).map(|endpoint| (endpoint.location.clone(), RequestBinding::HttpRedirect));
    let post = || find(Binding::Post).map(|endpoint| (endpoint.location.clone(), RequestBinding::HttpPost));
    let missing = "holds no SingleSignOnService with the HTTP-Redirect or HTTP-POST binding";
    redirect.or_else(post).ok_or_else(|| Error::invalid("/metadata", missing))
}
