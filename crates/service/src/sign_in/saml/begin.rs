//! The public SAML login URL (C8): a plain link that leads to the portal's frontend, which begins a bound sign-in.

use domain::sso::connection::{SamlConnection, SpHash};
use url::Url;

use crate::core::error::{Code, Error, Result};
use crate::sign_in::SignIn;

impl SignIn {
    /// Builds the URL that the login URL of a portal redirects to: the `initiate_login_uri` of its default
    /// application (OpenID Connect Core, section 4), with our issuer and what the login page must know.
    pub async fn begin_at_application(&self, hash: &SpHash) -> Result<String> {
        let mut tx = self.core.store.read().await?;
        let found = storage::connections::by_sp_hash(&mut tx, hash).await?;
        drop(tx);
        let enabled = found.filter(|connection| connection.mode.is_enabled());
        self.initiate_login_url(&enabled.ok_or_else(|| Error::new(Code::SsoAccountNotConfigured))?).await
    }

    pub(super) async fn initiate_login_url(&self, connection: &SamlConnection) -> Result<String> {
        let mut tx = self.core.store.read().await?;
        let account = crate::core::account(&mut tx, connection.account_id).await?;
        let application = storage::applications::default_of(&mut tx, account.id, connection.portal).await?;
        let uri = application.and_then(|application| application.settings.initiate_login_uri);
        let uri = uri.ok_or_else(|| Error::new(Code::NoDefaultApplication))?;
        let mut url = Url::parse(uri.as_str()).map_err(Error::internal)?;
        url.query_pairs_mut()
            .append_pair("iss", self.core.settings.issuer())
            .append_pair("account_name", account.name.as_str())
            .append_pair("portal", connection.portal.as_str());
        Ok(url.into())
    }
}
