//! Each knob spoils what it says, and nothing else is needed.

use jiff::{SignedDuration, Timestamp};
use mock_idp::RunningIdp;
use mock_idp::idp::{DEFAULT_ROLE_ATTRIBUTE, DEFAULT_USERNAME_ATTRIBUTE, Fault, Faults, User};
use mock_idp::message::xml::Element;

use crate::scene::{ACS, REQUEST_ID, deflated, request, start, tree, values};

fn respond(idp: &RunningIdp, fault: Fault) -> Element {
    idp.set_faults(Faults { next: vec![fault], always: Vec::new() });
    tree(&answer(idp))
}

fn answer(idp: &RunningIdp) -> String {
    let answer = idp.respond("alice@example.test", &deflated(&request("")), None);
    answer.expect("an answer").saml_response
}

fn attribute(response: &Element, element: &str, name: &str) -> Option<String> {
    response.find(element)?.value(name).map(str::to_owned)
}

fn time(response: &Element, element: &str, name: &str) -> Timestamp {
    let text = attribute(response, element, name).expect("a time");
    text.parse().expect("a time")
}

/// Proves the knobs for C10's audience, recipient, destination and issuer.
#[tokio::test]
async fn wrong_addressees_and_issuers_are_elsewhere() {
    let idp = start().await;
    let audience = respond(&idp, Fault::WrongAudience);
    assert_ne!(audience.find("Audience").expect("an audience").text_content(), ACS);
    let recipient = respond(&idp, Fault::WrongRecipient);
    assert_ne!(attribute(&recipient, "SubjectConfirmationData", "Recipient").as_deref(), Some(ACS));
    let destination = respond(&idp, Fault::WrongDestination);
    assert_ne!(destination.value("Destination"), Some(ACS));
    let issuer = respond(&idp, Fault::WrongIssuer);
    let assertion = issuer.find("Assertion").expect("an assertion");
    for element in [&issuer, assertion] {
        assert_ne!(element.element("Issuer").expect("an issuer").text_content(), idp.entity_id());
    }
}

/// Proves the knobs for C10's times.
#[tokio::test]
async fn expired_early_and_skewed_responses_have_other_times() {
    let idp = start().await;
    let issued = |response: &Element| response.value("IssueInstant").and_then(|time| time.parse::<Timestamp>().ok());
    let expired = respond(&idp, Fault::Expired);
    let now = issued(&expired).expect("a time");
    assert!(time(&expired, "Conditions", "NotOnOrAfter") < now);
    assert!(time(&expired, "SubjectConfirmationData", "NotOnOrAfter") < now);
    assert!(time(&respond(&idp, Fault::NotYetValid), "Conditions", "NotBefore") > now);
    let skewed = issued(&respond(&idp, Fault::ClockSkew { seconds: -7200 })).expect("a time");
    assert!(now.duration_since(skewed) > SignedDuration::from_mins(115));
}

/// Proves the knobs for C10's signature.
#[tokio::test]
async fn signatures_are_missing_foreign_weak_or_broken() {
    let idp = start().await;
    assert!(respond(&idp, Fault::Unsigned).find("Signature").is_none());
    let own = idp.identity().certificate().base64();
    let shown = respond(&idp, Fault::WrongKey).find("X509Certificate").map(Element::text_content);
    assert_ne!(shown.expect("a certificate"), own);
    let method = attribute(&respond(&idp, Fault::Sha1), "SignatureMethod", "Algorithm");
    assert_eq!(method.as_deref(), Some("http://www.w3.org/2000/09/xmldsig#rsa-sha1"));
    let altered = respond(&idp, Fault::AlteredAfterSigning);
    assert_eq!(values(&altered, DEFAULT_USERNAME_ATTRIBUTE), ["altered-alice@example.test"]);
}

/// Proves the knob for C10's one use only.
#[tokio::test]
async fn a_replay_is_the_previous_response_byte_for_byte() {
    let idp = start().await;
    let first = answer(&idp);
    idp.set_faults(Faults { next: vec![Fault::Replay], always: Vec::new() });
    assert_eq!(answer(&idp), first);
    assert_ne!(answer(&idp), first);
}

/// Proves the knob for C10's status.
#[tokio::test]
async fn a_failed_status_carries_no_assertion() {
    let idp = start().await;
    let second_level = "AuthnFailed".to_owned();
    let response = respond(&idp, Fault::StatusNotSuccess { second_level });
    let code = response.find("StatusCode").expect("a status");
    assert_eq!(code.value("Value"), Some("urn:oasis:names:tc:SAML:2.0:status:Responder"));
    assert!(response.find("Assertion").is_none());
}

/// Proves the knobs for C2 and C4: usernames and roles.
#[tokio::test]
async fn attributes_are_missing_or_ambiguous() {
    let idp = start().await;
    let missing = respond(&idp, Fault::MissingEmail);
    assert!(values(&missing, DEFAULT_USERNAME_ATTRIBUTE).is_empty());
    assert_eq!(values(&missing, DEFAULT_ROLE_ATTRIBUTE), ["nac-team-lead"]);
    assert_eq!(values(&respond(&idp, Fault::TwoUsernames), DEFAULT_USERNAME_ATTRIBUTE).len(), 2);
    assert!(values(&respond(&idp, Fault::NoGroups), DEFAULT_ROLE_ATTRIBUTE).is_empty());
    assert!(respond(&idp, Fault::NoNameId).find("NameID").is_none());
}

/// Proves the knobs for C10's InResponseTo.
#[tokio::test]
async fn in_response_to_is_unknown_missing_or_split() {
    let idp = start().await;
    let confirmed = |response: &Element| attribute(response, "SubjectConfirmationData", "InResponseTo");
    let unknown = respond(&idp, Fault::UnknownInResponseTo);
    assert!(unknown.value("InResponseTo").is_some_and(|id| id != REQUEST_ID));
    let unsolicited = respond(&idp, Fault::Unsolicited);
    assert_eq!((unsolicited.value("InResponseTo"), confirmed(&unsolicited)), (None, None));
    let split = respond(&idp, Fault::DifferentInResponseTo);
    assert_eq!(split.value("InResponseTo"), Some(REQUEST_ID));
    assert_ne!(confirmed(&split).as_deref(), Some(REQUEST_ID));
}

/// Proves that faults for the next response are used up, and those for all stay.
#[tokio::test]
async fn next_faults_are_spent_and_lasting_ones_stay() {
    let idp = start().await;
    idp.set_faults(Faults { next: vec![Fault::WrongAudience], always: vec![Fault::NoGroups] });
    let (first, second) = (tree(&answer(&idp)), tree(&answer(&idp)));
    assert_ne!(first.find("Audience").expect("an audience").text_content(), ACS);
    assert_eq!(second.find("Audience").expect("an audience").text_content(), ACS);
    assert!(values(&second, DEFAULT_ROLE_ATTRIBUTE).is_empty());
}

/// Proves that every choice of the login form can be built for every kind of user.
#[tokio::test]
async fn every_choice_makes_a_response() {
    let idp = start().await;
    idp.set_users(vec![User::new("alice@example.test", "", &[])]);
    for (fault, label) in Fault::choices() {
        idp.set_faults(Faults { next: vec![fault], always: Vec::new() });
        assert!(!answer(&idp).is_empty(), "{label}");
    }
}
