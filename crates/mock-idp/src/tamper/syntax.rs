//! Documents that are no acceptable XML: entities, encodings, other versions, broken markup.

use super::{Case, Scene};
use crate::message::{BuildError, SignedParts};

pub(super) const CASES: &[Case] = &[
    ("doctype", "a document type declaration without entities", |scene| prolog(scene, "<!DOCTYPE Response>")),
    ("entity_internal", "an internal entity", |scene| prolog(scene, "<!DOCTYPE r [<!ENTITY a \"b\">]>")),
    ("entity_external_file", "an external entity that reads a file", |scene| {
        entity(scene, "<!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/hostname\">]>")
    }),
    ("entity_external_http", "an external entity that is fetched", |scene| {
        entity(scene, "<!DOCTYPE r [<!ENTITY a SYSTEM \"http://127.0.0.1:9/entity\">]>")
    }),
    ("entity_parameter", "a parameter entity that is fetched", |scene| {
        prolog(scene, "<!DOCTYPE r [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/dtd\"> %p;]>")
    }),
    ("doctype_external_subset", "an external subset that is fetched", |scene| {
        prolog(scene, "<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/dtd\">")
    }),
    ("entity_bomb_exponential", "a billion laughs", |scene| entity(scene, &exponential_bomb())),
    ("entity_bomb_quadratic", "one long entity, used often", quadratic_bomb),
    ("entity_undeclared", "a reference to an entity that nothing declares", |scene| in_status(scene, "&a;")),
    ("default_attribute_in_doctype", "a default attribute value by DTD", |scene| {
        prolog(scene, "<!DOCTYPE r [<!ATTLIST Response ID CDATA \"_x\">]>")
    }),
    ("xml_1_1", "XML of version 1.1", |scene| prolog(scene, "<?xml version=\"1.1\"?>")),
    ("encoding_latin_1", "another encoding is declared", |scene| {
        prolog(scene, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>")
    }),
    ("encoding_utf_7", "UTF-7 is declared", |scene| prolog(scene, "<?xml version=\"1.0\" encoding=\"UTF-7\"?>")),
    ("encoding_utf_16", "the document is in UTF-16", utf_16),
    ("invalid_utf_8", "a byte that is not UTF-8, in a text", invalid_utf_8),
    ("null_byte", "a null byte in a text", |scene| in_status(scene, "\0")),
    ("control_character", "a reference to a character that XML forbids", |scene| in_status(scene, "&#x1;")),
    ("surrogate_reference", "a reference to half a character", |scene| in_status(scene, "&#xD800;")),
    ("text_after_root", "text after the root element", |scene| scene.rewritten(|text| text + "x")),
    ("text_before_root", "text before the root element", |scene| scene.rewritten(|text| format!("x{text}"))),
    ("second_root", "a second root element", |scene| scene.rewritten(|text| format!("{text}{text}"))),
    ("cut_short", "the second half is missing", |scene| {
        scene.rewritten(|text| text.chars().take(text.chars().count() / 2).collect())
    }),
    ("end_tag_of_another", "an end tag has another name", |scene| {
        scene.rewritten(|text| text.replacen("Status>", "Statuz>", 1))
    }),
    ("attribute_twice", "an attribute stands there twice", |scene| {
        scene.rewritten(|text| text.replacen(" Version=", " Version=\"2.0\" Version=", 1))
    }),
    ("attribute_twice_by_namespace", "two prefixes of one namespace make an attribute stand there twice", |scene| {
        let twice = " xmlns:p=\"urn:example:x\" xmlns:q=\"urn:example:x\" p:a=\"1\" q:a=\"2\" Version=";
        scene.rewritten(|text| text.replacen(" Version=", twice, 1))
    }),
    ("prefix_unbound", "an element's prefix is not declared", |scene| in_status(scene, "<unbound:x/>")),
    ("prefix_undeclared_again", "a prefix is undeclared, which XML 1.0 forbids", |scene| {
        in_status(scene, "<x xmlns:saml=\"\"/>")
    }),
    ("prefix_xml_rebound", "the prefix xml is bound to something else", |scene| {
        in_status(scene, "<x xmlns:xml=\"urn:example:x\"/>")
    }),
    ("less_than_in_attribute", "a bare less-than sign in an attribute", |scene| {
        scene.rewritten(|text| text.replacen(" Version=\"", " Version=\"<", 1))
    }),
    ("cdata_end_in_text", "the end of a CDATA section outside of one", |scene| in_status(scene, "]]>")),
    ("double_hyphen_in_comment", "a comment that holds two hyphens", |scene| in_status(scene, "<!-- a -- b -->")),
    ("empty", "nothing", |_| Ok(Vec::new())),
    ("white_space", "white space", |_| Ok(b" \r\n\t".to_vec())),
    ("json", "JSON", |_| Ok(b"{\"saml\": true}".to_vec())),
    ("html", "an HTML page", |_| Ok(b"<!doctype html><title>Sign in</title><p>Sign in<br>".to_vec())),
];

fn prolog(scene: &Scene<'_>, prolog: &str) -> Result<Vec<u8>, BuildError> {
    scene.rewritten(|text| format!("{prolog}{text}"))
}

/// Puts markup into the Status of a response whose assertion alone is signed.
fn in_status(scene: &Scene<'_>, markup: &str) -> Result<Vec<u8>, BuildError> {
    scene.rewritten(|text| insert_in_status(&text, markup))
}

fn insert_in_status(text: &str, markup: &str) -> String {
    match text.find("Status>") {
        Some(position) => {
            let (before, after) = text.split_at(position + "Status>".len());
            format!("{before}{markup}{after}")
        }
        None => text.to_owned(),
    }
}

/// A declaration of the entity `a`, and its use.
fn entity(scene: &Scene<'_>, declaration: &str) -> Result<Vec<u8>, BuildError> {
    scene.rewritten(|text| format!("{declaration}{}", insert_in_status(&text, "&a;")))
}

fn exponential_bomb() -> String {
    let levels = ["j", "i", "h", "g", "f", "e", "d", "c", "b", "a"].iter().zip("kjihgfedcb".chars());
    let entities: Vec<String> =
        levels.map(|(name, inner)| format!("<!ENTITY {name} \"{}\">", format!("&{inner};").repeat(10))).collect();
    format!("<!DOCTYPE r [<!ENTITY k \"ha\">{}]>", entities.concat())
}

fn quadratic_bomb(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let declaration = format!("<!DOCTYPE r [<!ENTITY a \"{}\">]>", "x".repeat(100_000));
    scene.rewritten(|text| format!("{declaration}{}", insert_in_status(&text, &"&a;".repeat(50_000))))
}

fn utf_16(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    let text = scene.text(SignedParts::Assertion)?;
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    Ok(units.flat_map(u16::to_be_bytes).collect())
}

fn invalid_utf_8(scene: &Scene<'_>) -> Result<Vec<u8>, BuildError> {
    const MARK: &str = "MARK";
    let mut bytes = in_status(scene, MARK)?;
    let position = bytes.windows(MARK.len()).position(|window| window == MARK.as_bytes());
    if let Some(byte) = position.and_then(|position| bytes.get_mut(position)) {
        *byte = 0xFF;
    }
    Ok(bytes)
}
