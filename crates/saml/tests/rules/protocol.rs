//! Signed and still not for us, not now, or not complete.

use std::time::Duration;

use crate::support::*;
use saml::{Check, Expected, Warning};

/// Proves C10: each protocol value is compared exactly, and what is missing is named.
#[test]
fn each_wrong_protocol_value_is_refused() {
    let honest = Message::default();
    let with = |change: fn(&mut Message)| {
        let mut message = honest.clone();
        change(&mut message);
        message.both_signed()
    };
    let times = r#"NotBefore="2026-12-01T11:55:00Z" NotOnOrAfter="2026-12-01T12:05:00Z""#;
    let cases = [
        (
            with(|m| m.response_attributes = m.response_attributes.replace(ACS, "https://sp.example/saml/x1/")),
            "destination_mismatch",
        ),
        (
            with(|m| m.response_attributes = m.response_attributes.replace(&format!("Destination=\"{ACS}\" "), "")),
            "destination_missing",
        ),
        (
            with(|m| m.response_issuer = m.response_issuer.replace(IDP, "https://IDP.example/entity")),
            "response_issuer_mismatch",
        ),
        (with(|m| m.response_issuer = String::new()), "response_issuer_missing"),
        (
            with(|m| m.assertion_issuer = m.assertion_issuer.replace(IDP, " https://idp.example/entity")),
            "assertion_issuer_mismatch",
        ),
        (with(|m| m.assertion_issuer = String::new()), "assertion_issuer_missing"),
        (with(|m| m.status = status("urn:oasis:names:tc:SAML:2.0:status:Responder")), "status_not_success"),
        (with(|m| m.conditions = conditions("", "")), "audience_missing"),
        (with(|m| m.conditions = String::new()), "audience_missing"),
        (with(|m| m.conditions = conditions("", &audience("https://other.example"))), "audience_mismatch"),
        (
            with(|m| m.conditions = conditions("", &format!("{}{}", audience(ACS), audience("https://other.example")))),
            "audience_mismatch",
        ),
        (
            with(|m| m.conditions = conditions("", &format!("{}<saml:Condition></saml:Condition>", audience(ACS)))),
            "condition_unknown",
        ),
        (with(|m| m.subject = subject("", "")), "bearer_confirmation_missing"),
        (with(|m| m.subject = String::new()), "bearer_confirmation_missing"),
        (with(|m| m.subject = m.subject.replace("cm:bearer", "cm:holder-of-key")), "bearer_confirmation_missing"),
        (with(|m| m.subject = m.subject.replace(ACS, "https://other.example/acs")), "recipient_mismatch"),
        (with(|m| m.subject = m.subject.replace(&format!(" Recipient=\"{ACS}\""), "")), "recipient_missing"),
        (with(|m| m.subject = m.subject.replace("_req1", "_req2")), "in_response_to_mismatch"),
        (with(|m| m.subject = m.subject.replace("InResponseTo=\"_req1\" ", "")), "in_response_to_mismatch"),
        (
            with(|m| m.response_attributes = m.response_attributes.replace("InResponseTo=\"_req1\" ", "")),
            "in_response_to_mismatch",
        ),
        (
            with(|m| m.subject = m.subject.replace("NotOnOrAfter=\"2026-12-01T12:05:00Z\" ", "")),
            "confirmation_end_missing",
        ),
        (with(|m| m.subject = m.subject.replace("anna@example.com", "anna<x></x>")), "text_expected"),
        (with(|m| m.authn = String::new()), "authn_statement_missing"),
        (with(|m| m.authn = authn("")), "time_invalid"),
        (with(|m| m.attributes = attributes("<saml:Attribute></saml:Attribute>")), "attribute_invalid"),
        (with(|m| m.attributes = m.attributes.replace("anna@", "anna@<x></x>")), "attribute_value_mixed"),
    ];
    for (index, (xml, code)) in cases.iter().enumerate() {
        assert_eq!(refusal(xml), *code, "case {index}");
    }
    assert!(verify(&Message { conditions: conditions(times, &audience(ACS)), ..honest }.both_signed()).is_ok());
}

/// Proves C10: a refusal says what was wanted and what came.
#[test]
fn a_refusal_names_both_values() {
    let message = Message { conditions: conditions("", &audience("https://other.example")), ..Message::default() };
    let rejection = verify(&message.assertion_signed()).unwrap_err();
    assert_eq!(rejection.check, Check::Audience);
    assert_eq!(rejection.wanted.as_deref(), Some(ACS));
    assert_eq!(rejection.got.as_deref(), Some("https://other.example"));
    assert_eq!(rejection.to_string(), "audience: audience_mismatch");
}

/// Proves C10: an error response names its status codes, signed or not.
#[test]
fn an_error_response_is_refused_with_its_status() {
    let nested = "<samlp:Status><samlp:StatusCode Value=\"top\"><samlp:StatusCode Value=\"detail\"></samlp:StatusCode></samlp:StatusCode><samlp:StatusMessage>no</samlp:StatusMessage></samlp:Status>";
    let message = Message { status: nested.into(), ..Message::default() };
    for xml in [unsigned(&message.response_template("")), sign(&message.response_template(""), "_r1", &IDP_KEY)] {
        let rejection = verify(&xml).unwrap_err();
        assert_eq!((rejection.check, rejection.reason.as_str()), (Check::Status, "status_not_success"));
        assert_eq!(rejection.got.as_deref(), Some("top detail (no)"));
    }
}

fn at(time: &str, skew: u64) -> Expected<'static> {
    Expected { now: time.parse().unwrap(), clock_skew: Duration::from_secs(skew), ..expected() }
}

/// Proves C10: times hold to the second, at both ends, and never with more than five minutes of tolerance.
#[test]
fn times_are_checked_at_their_edges() {
    // Valid from 11:55:00, issued at 12:00:00, until 12:05:00.
    let xml = Message::default().assertion_signed();
    let cases = [
        ("2026-12-01T12:04:59Z", 0, None),
        ("2026-12-01T12:05:00Z", 0, Some("confirmation_expired")),
        ("2026-12-01T12:06:59Z", 120, None),
        ("2026-12-01T12:07:00Z", 120, Some("confirmation_expired")),
        ("2026-12-01T12:09:59Z", 900, None),
        ("2026-12-01T12:10:00Z", 900, Some("confirmation_expired")),
        ("2026-12-01T12:00:00Z", 0, None),
        ("2026-12-01T11:59:59Z", 0, Some("issue_instant_in_future")),
        ("2026-12-01T11:58:00Z", 120, None),
        ("2026-12-01T11:57:59Z", 120, Some("issue_instant_in_future")),
    ];
    for (time, skew, code) in cases {
        let result = saml::verify_response(&xml, &at(time, skew), &trust());
        assert_eq!(result.err().map(|rejection| rejection.reason.as_str()), code, "{time} with {skew} s");
    }
}

/// Proves H2: a clock that is off is noticed while it is still tolerated.
#[test]
fn tolerated_skew_is_reported() {
    let xml = Message::default().assertion_signed();
    let seen = |time: &str| saml::verify_response(&xml, &at(time, 120), &trust()).unwrap().warnings;
    assert_eq!(seen("2026-12-01T12:00:00Z"), []);
    assert_eq!(seen("2026-12-01T11:59:00Z"), [Warning::ClockSkew { seconds: 60 }]);
    assert_eq!(seen("2026-12-01T12:06:00Z"), [Warning::ClockSkew { seconds: -60 }]);
}

/// Proves C10: only times with a zone are read, in every form that `xs:dateTime` has.
#[test]
fn times_are_read_strictly() {
    let with = |time: &str| {
        let message = Message { authn: authn(&format!("AuthnInstant=\"{time}\"")), ..Message::default() };
        verify(&message.assertion_signed()).err().map(|rejection| rejection.reason.as_str())
    };
    for time in [
        "2026-12-01T11:59:00.123456789Z",
        "2026-12-01T11:59:00.1234567890123Z",
        "2026-12-01T11:59:00.1Z",
        "2026-12-01T12:59:00+01:00",
        "2026-11-30T24:00:00Z",
        "2026-11-30T23:59:60Z",
        "0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
    ] {
        assert_eq!(with(time), None, "{time}");
    }
    for time in [
        "",
        "2026-12-01",
        "2026-12-01T11:59:00",
        "2026-12-01 11:59:00Z",
        "2026-12-01t11:59:00z",
        "2026-12-01T11:59Z",
        "2026-12-01T11:59:00.Z",
        "2026-13-01T11:59:00Z",
        "2026-12-01T24:00:01Z",
        "2026-12-01T24:00:00.1Z",
        "2026-12-01T11:00:60Z",
        "2026-02-29T11:59:00Z",
        "02026-12-01T11:59:00Z",
        "2026-12-01T11:59:00+14:01",
        " 2026-12-01T11:59:00Z",
        "2026-12-01T11:59:00Z[UTC]",
        "2026-12-01T11:59:00+0100",
        "+002026-12-01T11:59:00Z",
        "2026-12-01T11:59:00é",
    ] {
        assert_eq!(with(time), Some("time_invalid"), "{time}");
    }
}

/// Proves C12: the earliest SessionNotOnOrAfter is handed on, and one that has passed is refused.
#[test]
fn the_idp_session_bounds_ours() {
    let with = |times: &str| Message { authn: authn(times), ..Message::default() }.assertion_signed();
    let verified = verify(&with(r#"AuthnInstant="2026-12-01T11:59:00Z" SessionNotOnOrAfter="2026-12-01T20:00:00Z""#));
    assert_eq!(verified.unwrap().session_not_on_or_after.unwrap().to_string(), "2026-12-01T20:00:00Z");
    // Within the tolerance for clocks too: what has passed would give tokens that are dead already.
    for end in ["2026-12-01T11:30:00Z", "2026-12-01T11:59:30Z", "2026-12-01T12:00:00Z"] {
        let ended = with(&format!(r#"AuthnInstant="2026-12-01T11:00:00Z" SessionNotOnOrAfter="{end}""#));
        assert_eq!(refusal(&ended), "idp_session_ended", "{end}");
    }
    let open = with(r#"AuthnInstant="2026-12-01T11:00:00Z" SessionNotOnOrAfter="2026-12-01T12:00:01Z""#);
    assert!(verify(&open).is_ok());
}

/// Proves C10, C12: ends that no clock comes to are far ahead, whatever tolerance is added, and starts likewise.
#[test]
fn a_time_beyond_the_calendar_is_far_ahead() {
    for forever in
        ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999-14:00", "9999-12-31T24:00:00Z", "123456-02-29T00:00:00Z"]
    {
        let authn = authn(&format!(r#"AuthnInstant="2026-12-01T11:59:00Z" SessionNotOnOrAfter="{forever}""#));
        let mut message = Message { authn, ..Message::default() };
        message.subject = message.subject.replace("2026-12-01T12:05:00Z", forever);
        message.conditions = message.conditions.replace("2026-12-01T12:05:00Z", forever);
        assert!(message.subject.contains(forever) && message.conditions.contains(forever), "{}", message.subject);
        let verified = verify(&message.assertion_signed()).unwrap();
        let far = "9999-12-01T00:00:00Z".parse().unwrap();
        assert!(verified.session_not_on_or_after.unwrap() > far && verified.not_on_or_after > far, "{forever}");
        let ahead = Message { authn: self::authn(&format!(r#"AuthnInstant="{forever}""#)), ..Message::default() };
        assert_eq!(refusal(&ahead.assertion_signed()), "authn_instant_in_future", "{forever}");
    }
}

/// Proves C10: an unsolicited response verifies, and says that it answers nothing.
#[test]
fn an_unsolicited_response_says_so() {
    let mut message = Message::default();
    message.response_attributes = message.response_attributes.replace("InResponseTo=\"_req1\" ", "");
    message.subject = message.subject.replace("InResponseTo=\"_req1\" ", "");
    assert_eq!(verify(&message.both_signed()).unwrap().in_response_to, None);
}

/// Proves C2 and C4: repeated attributes are one, empty values stay, and structured values are read by their text.
#[test]
fn attributes_are_read_as_they_stand() {
    let value = |text: &str| format!("<saml:AttributeValue>{text}</saml:AttributeValue>");
    let named = |name: &str, values: &str| format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>");
    let message = Message {
        attributes: attributes(
            &[
                named("Role", &value("a")),
                named("Role", &value("b")),
                named("empty", &value("")),
                named("none", ""),
                named("blank", &value(" x ")),
                named("targeted", &value("\n<saml:NameID>opaque</saml:NameID>\n")),
            ]
            .concat(),
        ),
        ..Message::default()
    };
    let read: Vec<_> = verify(&message.both_signed())
        .unwrap()
        .attributes
        .into_iter()
        .map(|attribute| (attribute.name, attribute.values))
        .collect();
    let wanted: Vec<(String, Vec<String>)> = [
        ("Role", vec!["a", "b"]),
        ("empty", vec![""]),
        ("none", vec![]),
        ("blank", vec![" x "]),
        ("targeted", vec!["opaque"]),
    ]
    .into_iter()
    .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()))
    .collect();
    assert_eq!(read, wanted);
}
