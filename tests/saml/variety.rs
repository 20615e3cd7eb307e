//! Differences among honest messages besides their shape, which must not matter.

use jiff::{SignedDuration, Timestamp};
use mock_idp::message::xml::{Element, Node};
use mock_idp::message::{DateTime, Edits, KeyInfo, ResponseSpec, Shape, ShownCertificate, SignedParts, form_value};
use saml::Warning;

use crate::scene::{ATTACKER, P256, ROLE_ATTRIBUTE, RSA, USER, accepted, now, spec, spec_at, values};

/// The size of the largest honest messages, in base64.
const LARGE: std::ops::Range<usize> = 350_000..saml::decode::MAX_FORM_VALUE;

fn built(spec: &ResponseSpec) -> String {
    spec.build(&RSA.identity).unwrap()
}

/// Proves C5: during a rollover either certificate verifies, in any order and beside keys of another kind.
#[test]
fn either_certificate_of_a_rollover_verifies() {
    let [next, current, other] = [&*ATTACKER, &*RSA, &*P256].map(|provider| provider.certificates[0].clone());
    let lists = [
        vec![current.clone(), next.clone()],
        vec![next.clone(), current.clone()],
        vec![other.clone(), next.clone(), current.clone()],
        vec![next, other, current],
    ];
    for shape in Shape::ALL {
        for certificates in &lists {
            for provider in [&*RSA, &*ATTACKER] {
                let xml = spec(shape).signed(SignedParts::Both).build(&provider.identity).unwrap();
                let read = accepted(&xml, certificates, "a rollover");
                assert_eq!(read.certificate_sha256, provider.certificates[0].sha256_fingerprint);
            }
        }
    }
}

/// Proves C10: the certificate inside a message is of no interest, whether it is stale, complete or missing.
#[test]
fn key_info_does_not_matter() {
    let stale = ShownCertificate::Other(P256.identity.certificate().base64());
    let complete = KeyInfo { key_name: true, certificate: ShownCertificate::Own, subject_name: true, key_value: true };
    for shape in Shape::ALL {
        for key_info in [KeyInfo::NONE, KeyInfo { certificate: stale.clone(), ..KeyInfo::NONE }, complete.clone()] {
            let mut spec = spec(shape).signed(SignedParts::Both);
            spec.signing.key_info = key_info;
            accepted(&built(&spec), &RSA.certificates, "KeyInfo");
        }
    }
}

/// Proves C10: a user in 3,000 groups gets in, however the groups are written.
#[test]
fn three_thousand_groups_are_read() {
    for shape in [Shape::EntraId, Shape::AdFs, Shape::Shibboleth] {
        let groups: Vec<_> =
            (0..3000).map(|group| format!("cn=group-{group:04},ou=another department,dc=example,dc=test")).collect();
        let xml = built(&spec(shape).signed(SignedParts::Both).attribute("groups", groups.clone()));
        let form_value = form_value(&xml);
        assert!(LARGE.contains(&form_value.len()), "{shape:?}: {}", form_value.len());
        let decoded = saml::decode_post_binding(&form_value).unwrap();
        let read = accepted(&decoded, &RSA.certificates, "many groups");
        assert_eq!(values(&read, "groups"), Some(groups.as_slice()));
    }
}

/// Proves C10: a clock that is a minute ahead or behind only shows in the diagnostics.
#[test]
fn a_clock_may_be_off_by_a_minute() {
    let minute = SignedDuration::from_mins(1);
    for shape in Shape::ALL {
        let ahead = accepted(&built(&spec_at(shape, now() + minute)), &RSA.certificates, "a clock ahead");
        assert!(matches!(ahead.warnings.as_slice(), [Warning::ClockSkew { seconds: 59..=60 }]), "{:?}", ahead.warnings);
        let mut behind = spec_at(shape, now() - minute);
        behind.confirmation_not_on_or_after = Some(behind.issue_instant.clone());
        behind.not_on_or_after = Some(behind.issue_instant.clone());
        let behind = accepted(&built(&behind), &RSA.certificates, "a clock behind");
        assert!(matches!(behind.warnings.as_slice(), [Warning::ClockSkew { seconds: -60 }]), "{:?}", behind.warnings);
    }
}

/// Proves C10: several values, empty values, no value and no attribute are four different things.
#[test]
fn multi_valued_and_empty_attributes_are_read_as_they_stand() {
    for shape in Shape::ALL {
        let several = ["b", "a", "", " b ", "Zoë \"Müller\" & <x> ]]> \t\n\r end"];
        let spec = spec(shape).attribute("several", several).attribute("empty", [""]).attribute("none", [""; 0]);
        let read = accepted(&built(&spec), &RSA.certificates, "attributes");
        assert_eq!(values(&read, "several"), Some(several.map(str::to_owned).as_slice()), "{shape:?}");
        assert_eq!(values(&read, "empty"), Some([String::new()].as_slice()), "{shape:?}");
        assert!(values(&read, "none").is_none_or(<[String]>::is_empty), "{shape:?}");
        assert_eq!(values(&read, "absent"), None, "{shape:?}");
    }
}

/// Proves C10: neither comments nor CDATA sections change what is read, wherever a signature allows them.
#[test]
fn comments_and_cdata_change_nothing() {
    for shape in Shape::ALL {
        for parts in [SignedParts::Assertion, SignedParts::Response, SignedParts::Both] {
            let spec = spec(shape).signed(parts);
            let mut tree = spec.build_tree(&RSA.identity, Edits::default()).unwrap();
            let plain = accepted(&spec.document(&tree), &RSA.certificates, "plain");
            interrupt(&mut tree);
            let interrupted = spec.document(&tree);
            assert!(interrupted.contains("<!--") && interrupted.contains("<![CDATA["));
            assert_eq!(accepted(&interrupted, &RSA.certificates, "interrupted"), plain, "{shape:?}");
        }
    }
}

/// Puts comments around every child and inside every text, half of which becomes CDATA; not in signatures.
fn interrupt(element: &mut Element) {
    let comment = || Node::Comment(" > a comment & <b>".into());
    for node in std::mem::take(&mut element.children) {
        element.children.push(comment());
        match node {
            Node::Element(mut child) => {
                if child.local != "Signature" {
                    interrupt(&mut child);
                }
                element.children.push(Node::Element(child));
            }
            Node::Text(text) if !text.contains("]]>") && text.is_ascii() => {
                let (head, tail) = text.split_at(text.len() / 2);
                let tail = Node::Text(tail.to_owned().into());
                element.children.extend([Node::CData(head.to_owned().into()), comment(), tail]);
            }
            other => element.children.push(other),
        }
    }
}

/// Proves C10: times have no fraction, or one of up to nine digits.
#[test]
fn times_may_have_any_number_of_fraction_digits() {
    let earlier = now() - SignedDuration::from_mins(1);
    let later = now() + SignedDuration::from_mins(5);
    for digits in 0..=9 {
        let written = |time: Timestamp| Some(DateTime::Verbatim(format!("{time:.digits$}")));
        let mut spec = spec(Shape::Plain);
        spec.issue_instant = written(earlier).unwrap();
        (spec.not_before, spec.authn_instant) = (written(earlier), written(earlier));
        (spec.not_on_or_after, spec.confirmation_not_on_or_after) = (written(later), written(later));
        spec.session_not_on_or_after = written(later);
        let read = accepted(&built(&spec), &RSA.certificates, "fractions");
        let off = read.not_on_or_after.duration_since(later).abs();
        assert!(off < SignedDuration::from_secs(1), "{digits}: {off}");
        assert_eq!(read.session_not_on_or_after, Some(read.not_on_or_after));
    }
}

/// Proves C10: what carries the message may break its lines and mark its byte order.
#[test]
fn line_breaks_in_base64_and_a_byte_order_mark_are_accepted() {
    for shape in Shape::ALL {
        let value = form_value(format!("\u{feff}{}", built(&spec(shape))));
        let lines: Vec<_> = value.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let decoded = saml::decode_post_binding(&format!("{}\r\n", lines.join("\r\n"))).unwrap();
        let read = accepted(&decoded, &RSA.certificates, "broken lines");
        assert_eq!(values(&read, crate::scene::EMAIL_CLAIM), Some([USER.to_owned()].as_slice()));
        assert!(values(&read, ROLE_ATTRIBUTE).is_some());
    }
}
