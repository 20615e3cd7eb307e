//! Instructions of the demo: requests and pages to try.

use std::fmt;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mock_idp::RunningIdp;
use service::ports::Entropy as _;

use super::page::callback_url;
use super::seed::{ACCOUNT_NAME, OWNER_EMAIL, PERSON_EMAIL, Seeded};
use crate::adapters::OsEntropy;
use crate::doctor::JWKS_PATH;

/// Path at which a login page begins a sign-in.
pub const SIGN_IN_PATH: &str = "/v1/sso-sign-ins";
/// Path at which a frontend exchanges its code.
pub const TOKEN_PATH: &str = "/oauth/token";
/// Path at which a signed-in user reads their own profile.
pub const ME_PATH: &str = "/v1/me";

/// Addresses and names of this run.
pub struct Instructions {
    /// Base URL of the API.
    pub base_url: String,
    /// The frontend's client id.
    pub client_id: String,
    /// Redirect URI that the frontend's codes are sent to.
    pub redirect_uri: String,
    page_url: String,
    login_url: String,
    acs_url: String,
    operator_key: String,
    idp_url: String,
    control_url: String,
    code_verifier: String,
}

impl Instructions {
    /// Collects the addresses and names of this run, with a random code verifier.
    pub fn new(base_url: &str, idp: &RunningIdp, page: SocketAddr, seeded: &Seeded) -> Self {
        let mut random = [0; 32];
        OsEntropy.fill(&mut random);
        Self {
            base_url: base_url.to_owned(),
            client_id: seeded.application.id.to_string(),
            redirect_uri: callback_url(page),
            page_url: format!("http://{page}/"),
            login_url: seeded.login_url.clone(),
            acs_url: seeded.acs_url.clone(),
            operator_key: seeded.operator_key.clone(),
            idp_url: idp.base_url().to_owned(),
            control_url: idp.control_url(),
            code_verifier: URL_SAFE_NO_PAD.encode(random),
        }
    }

    /// The `code_challenge` (RFC 7636, section 4.2).
    fn code_challenge(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.code_verifier.as_bytes());
        URL_SAFE_NO_PAD.encode(digest)
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_url, page_url, login_url, operator_key, idp_url, .. } = self;
        write!(
            f,
            "
Vestibule demo. Everything is on this machine; Ctrl-C ends it.

In a browser
  {page_url}
      a frontend: sign in to the account \"{ACCOUNT_NAME}\" as {PERSON_EMAIL}, and see the token
  {login_url}
      the same by a plain link, as one would bookmark it
  {base_url}/docs/
      the API; as an operator, authorize with {operator_key}
  {base_url}/v1/mailbox
      what would have been mailed, for the operator: the invitation of {OWNER_EMAIL}, the first owner, for one
  {idp_url}
      the identity provider; its login form shows the passwords of its users

In a shell (bash, curl, jq): from account name and work email to token, public keys and /v1/me

"
        )?;
        self.write_script(f)
    }
}

impl Instructions {
    fn write_script(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_url, client_id, redirect_uri, acs_url, control_url, code_verifier, .. } = self;
        let code_challenge = self.code_challenge();
        write!(
            f,
            r#"started=$(curl -sS {base_url}{SIGN_IN_PATH} -H 'content-type: application/json' -d '{{
  "account_name": "{ACCOUNT_NAME}", "email": "{PERSON_EMAIL}", "client_id": "{client_id}",
  "redirect_uri": "{redirect_uri}", "state": "shell",
  "code_challenge": "{code_challenge}", "code_challenge_method": "S256" }}')
echo "$started" | jq

# what a person does at the identity provider: sign in as alice
posted=$(jq -n --argjson started "$started" '{{ username: "{PERSON_EMAIL}", request: $started.handoff.url }}' |
  curl -sS {control_url}/respond -H 'content-type: application/json' -d @-)

# what the browser then posts; it is redirected to the frontend with a code
back=$(curl -sS -o /dev/null -w '%{{redirect_url}}' {acs_url} \
  --data-urlencode "SAMLResponse=$(jq -r .SAMLResponse <<<"$posted")" \
  --data-urlencode "RelayState=$(jq -r .RelayState <<<"$posted")")
code=$(sed -n 's/.*[?&]code=\([^&]*\).*/\1/p' <<<"$back")

# what the frontend does with it
tokens=$(curl -sS {base_url}{TOKEN_PATH} -d grant_type=authorization_code -d client_id={client_id} -d "code=$code" \
  --data-urlencode redirect_uri={redirect_uri} -d code_verifier={code_verifier})
echo "$tokens" | jq
curl -sS {base_url}{JWKS_PATH} | jq
curl -sS {base_url}{ME_PATH} -H "authorization: Bearer $(jq -r .access_token <<<"$tokens")" | jq
"#
        )
    }
}
