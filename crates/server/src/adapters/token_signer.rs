//! Access tokens: JSON Web Signatures (RFC 7515) of type `at+jwt` (RFC 9068, section 2.1).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::signing_key::SigningAlgorithm;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::Value;
use service::ports::{GeneratedSigningKey, PreparedSigner, SignerError, TokenSigner};
use zeroize::Zeroizing;

/// The type of an access token; what says another type was made for another purpose.
const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// Longest text that is looked at as a token: an honest one has under two kilobytes, with many roles a few more.
const TOKEN_MAX_BYTES: usize = 16 * 1024;

/// Makes, signs and verifies tokens with jsonwebtoken and aws-lc.
pub struct JwtSigner;

impl TokenSigner for JwtSigner {
    fn generate(&self, algorithm: SigningAlgorithm, kid: &str) -> Result<GeneratedSigningKey, SignerError> {
        let private_key = generate_pkcs8(algorithm)
            .map_err(|_| SignerError(format!("no {} key could be made", algorithm.as_str())))?;
        let mut jwk = Jwk::from_encoding_key(&encoding_key(algorithm, &private_key)?, jws_algorithm(algorithm))
            .map_err(refused)?;
        jwk.common.key_id = Some(kid.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public_jwk = serde_json::to_value(jwk).map_err(|error| SignerError(error.to_string()))?;
        Ok(GeneratedSigningKey { public_jwk, private_key })
    }

    fn prepare(
        &self,
        algorithm: SigningAlgorithm,
        kid: &str,
        private_key: &[u8],
    ) -> Result<Box<dyn PreparedSigner>, SignerError> {
        let mut header = Header::new(jws_algorithm(algorithm));
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(kid.to_owned());
        Ok(Box::new(PreparedKey { header, key: encoding_key(algorithm, private_key)? }))
    }

    fn verified_claims(&self, token: &str, jwks: &[Value]) -> Option<Value> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let kid = header.kid.as_deref()?;
        if header.typ.as_deref() != Some(ACCESS_TOKEN_TYPE) || header.crit.is_some() {
            return None;
        }
        let jwk = jwks.iter().find(|jwk| jwk.get("kid").and_then(Value::as_str) == Some(kid))?;
        verify(token, jwk)
    }
}

/// The algorithm is the key's own, so that a header can neither choose nor confuse it (RFC 8725, section 3.1).
fn verify(token: &str, jwk: &Value) -> Option<Value> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    let algorithm = match jwk.common.key_algorithm? {
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        KeyAlgorithm::RS256 => Algorithm::RS256,
        _ => return None,
    };
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    jsonwebtoken::decode::<Value>(token, &key, &validation).ok().map(|token| token.claims)
}

struct PreparedKey {
    header: Header,
    key: EncodingKey,
}

impl PreparedSigner for PreparedKey {
    fn sign(&self, claims: &Value) -> Result<String, SignerError> {
        jsonwebtoken::encode(&self.header, claims, &self.key).map_err(refused)
    }
}

fn generate_pkcs8(algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, aws_lc_rs::error::Unspecified> {
    let random = SystemRandom::new();
    let key = match algorithm {
        SigningAlgorithm::Es256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?.as_ref().to_vec()
        }
        SigningAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8v1(&random)?.as_ref().to_vec(),
        SigningAlgorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec(),
    };
    Ok(Zeroizing::new(key))
}

fn encoding_key(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<EncodingKey, SignerError> {
    match algorithm {
        SigningAlgorithm::Es256 => Ok(EncodingKey::from_ec_der(pkcs8)),
        SigningAlgorithm::EdDsa => Ok(EncodingKey::from_ed_der(pkcs8)),
        // Its DER form is PKCS #1; PKCS #8 is taken as PEM alone.
        SigningAlgorithm::Rs256 => {
            let body = Zeroizing::new(STANDARD.encode(pkcs8));
            let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body));
            EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(refused)
        }
    }
}

fn jws_algorithm(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(error: jsonwebtoken::errors::Error) -> SignerError {
    SignerError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    const ALGORITHMS: [SigningAlgorithm; 3] =
        [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256];

    fn signed(algorithm: SigningAlgorithm, kid: &str, claims: &Value) -> (String, Value) {
        let made = JwtSigner.generate(algorithm, kid).unwrap();
        let token = JwtSigner.prepare(algorithm, kid, &made.private_key).unwrap().sign(claims).unwrap();
        (token, made.public_jwk)
    }

    fn header_of(token: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
    }

    fn with_header(token: &str, header: &Value) -> String {
        let rest = token.split_once('.').unwrap().1;
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
    }

    /// Proves I1, for each algorithm: what was signed is verified with the published half of the key, whatever its
    /// times.
    #[test]
    fn a_signed_token_verifies_with_the_published_key() {
        for algorithm in ALGORITHMS {
            let claims = json!({"sub": "usr_1", "exp": 1, "aud": "app_1"});
            let (token, jwk) = signed(algorithm, "key_1", &claims);
            assert_eq!(header_of(&token), json!({"typ": "at+jwt", "alg": algorithm.as_str(), "kid": "key_1"}));
            assert_eq!((&jwk["kid"], &jwk["use"]), (&json!("key_1"), &json!("sig")));
            assert_eq!(jwk["alg"], algorithm.as_str());
            assert!(jwk.get("d").is_none(), "the private half stays private");
            let other = JwtSigner.generate(algorithm, "key_2").unwrap().public_jwk;
            assert_eq!(JwtSigner.verified_claims(&token, &[other.clone(), jwk]), Some(claims));
            assert_eq!(JwtSigner.verified_claims(&token, &[other]), None);
        }
    }

    /// Proves I1: neither header, nor claims, nor signature of a token can be changed.
    #[test]
    fn an_altered_token_does_not_verify() {
        for algorithm in ALGORITHMS {
            let (token, jwk) = signed(algorithm, "key_1", &json!({"sub": "usr_1"}));
            let parts: Vec<&str> = token.split('.').collect();
            let forged_claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"usr_2"}"#);
            for altered in [
                format!("{}.{forged_claims}.{}", parts[0], parts[2]),
                format!("{}.{}.", parts[0], parts[1]),
                format!("{}.{}", parts[0], parts[1]),
                format!("{token}.x"),
                format!("x{token}"),
                String::new(),
                "a".repeat(TOKEN_MAX_BYTES + 1),
            ] {
                assert_eq!(JwtSigner.verified_claims(&altered, std::slice::from_ref(&jwk)), None, "{altered}");
            }
        }
    }

    /// Proves I1: the header can neither name another algorithm (also not `none`, nor a shared secret made of the
    /// public key), nor another type, nor an unknown key.
    #[test]
    fn a_header_chooses_neither_algorithm_nor_type_nor_key() {
        let (token, jwk) = signed(SigningAlgorithm::Rs256, "key_1", &json!({"sub": "usr_1"}));
        for header in [
            json!({"typ": "at+jwt", "alg": "none", "kid": "key_1"}),
            json!({"typ": "at+jwt", "alg": "RS384", "kid": "key_1"}),
            json!({"typ": "JWT", "alg": "RS256", "kid": "key_1"}),
            json!({"alg": "RS256", "kid": "key_1"}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": "key_9"}),
            json!({"typ": "at+jwt", "alg": "RS256"}),
        ] {
            let altered = with_header(&token, &header);
            assert_eq!(JwtSigner.verified_claims(&altered, std::slice::from_ref(&jwk)), None, "{header}");
        }
        let mut header = Header::new(Algorithm::HS256);
        (header.typ, header.kid) = (Some("at+jwt".into()), Some("key_1".into()));
        let secret = EncodingKey::from_secret(jwk["n"].as_str().unwrap().as_bytes());
        let forged = jsonwebtoken::encode(&header, &json!({"sub": "usr_2"}), &secret).unwrap();
        assert_eq!(JwtSigner.verified_claims(&forged, &[jwk]), None);
    }

    /// Proves that bytes which are no key are refused with words.
    #[test]
    fn a_broken_private_key_is_refused() {
        for algorithm in ALGORITHMS {
            let signer = JwtSigner.prepare(algorithm, "key_1", b"no key");
            assert!(signer.and_then(|signer| signer.sign(&json!({}))).is_err(), "{algorithm:?}");
        }
    }
}
