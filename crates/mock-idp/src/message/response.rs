//! The unsigned tree of a response (SAML core sections 2 and 3.3.3, in the order of the schema).

use super::profile::{Declared, Profile, SchemaPrefixes};
use super::spec::{AttributeSpec, DateTime, ResponseSpec, Status};
use super::xml::{Element, Node};

pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const EDU_PERSON_TARGETED_ID: &str = "urn:oid:1.3.6.1.4.1.5923.1.1.1.10";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// Writes the tree of `spec`, nothing signed and nothing encrypted yet.
pub(super) fn tree(spec: &ResponseSpec) -> Element {
    let builder = Builder { spec, profile: spec.shape.profile() };
    let mut response = builder.response();
    if let Some(indent) = builder.profile.indent {
        pretty_print(&mut response, indent, 0);
    }
    response
}

struct Builder<'a> {
    spec: &'a ResponseSpec,
    profile: &'a Profile,
}

impl Builder<'_> {
    fn response(&self) -> Element {
        let (spec, profile) = (self.spec, self.profile);
        let mut response = Element::new(profile.protocol_prefix, "Response").declare(profile.protocol_prefix, PROTOCOL);
        if profile.declared == Declared::OnRoot {
            response = response.declare(profile.assertion_prefix, ASSERTION);
        }
        response
            .attribute("ID", spec.response_id.clone())
            .attribute("Version", "2.0")
            .attribute("IssueInstant", self.time(&spec.issue_instant))
            .attribute_if("Destination", spec.destination.clone())
            .attribute_if("Consent", profile.consent)
            .attribute_if("InResponseTo", spec.in_response_to.clone())
            .child_if(spec.response_issuer.as_deref().map(|issuer| self.response_issuer(issuer)))
            .child(self.status(&spec.status))
            .child_if(spec.carries_assertion.then(|| self.assertion()))
    }

    fn response_issuer(&self, issuer: &str) -> Element {
        let element = self.issuer(issuer);
        match self.profile.declared {
            Declared::OnRoot => element,
            Declared::Locally => element.declare(self.profile.assertion_prefix, ASSERTION),
        }
    }

    fn issuer(&self, issuer: &str) -> Element {
        self.saml("Issuer").attribute_if("Format", self.profile.issuer_format).text(issuer.to_owned())
    }

    fn status(&self, status: &Status) -> Element {
        let prefix = self.profile.protocol_prefix;
        let code = |value: &str| Element::new(prefix, "StatusCode").attribute("Value", value.to_owned());
        let second_level = status.second_level.as_deref().map(code);
        let message =
            status.message.as_ref().map(|message| Element::new(prefix, "StatusMessage").text(message.clone()));
        Element::new(prefix, "Status").child(code(&status.code).child_if(second_level)).child_if(message)
    }

    fn assertion(&self) -> Element {
        let spec = self.spec;
        let mut assertion = self.saml("Assertion").declare(self.profile.assertion_prefix, ASSERTION);
        if self.profile.schema_prefixes == SchemaPrefixes::OnAssertion {
            assertion = declare_schema(assertion);
        }
        let assertion = assertion
            .attribute("ID", spec.assertion_id.clone())
            .attribute("Version", "2.0")
            .attribute("IssueInstant", self.time(&spec.issue_instant))
            .child(self.issuer(&spec.assertion_issuer))
            .child(self.subject())
            .child(self.conditions());
        let (authn, attributes) = (self.authn_statement(), self.attribute_statement());
        if self.profile.attributes_first {
            assertion.child_if(attributes).child_if(authn)
        } else {
            assertion.child_if(authn).child_if(attributes)
        }
    }

    fn subject(&self) -> Element {
        let spec = self.spec;
        let name_id = spec.name_id.as_ref().map(|name_id| {
            self.saml("NameID").attribute_if("Format", name_id.format.clone()).text(name_id.value.clone())
        });
        let data = self
            .saml("SubjectConfirmationData")
            .attribute_if("InResponseTo", spec.confirmation_in_response_to.clone())
            .attribute_if("NotOnOrAfter", self.time_if(spec.confirmation_not_on_or_after.as_ref()))
            .attribute_if("Recipient", spec.recipient.clone());
        let confirmation =
            self.saml("SubjectConfirmation").attribute("Method", spec.confirmation_method.clone()).child(data);
        self.saml("Subject").child_if(name_id).child(confirmation)
    }

    fn conditions(&self) -> Element {
        let spec = self.spec;
        let mut conditions = self
            .saml("Conditions")
            .attribute_if("NotBefore", self.time_if(spec.not_before.as_ref()))
            .attribute_if("NotOnOrAfter", self.time_if(spec.not_on_or_after.as_ref()));
        for audiences in &spec.audiences {
            let mut restriction = self.saml("AudienceRestriction");
            for audience in audiences {
                restriction = restriction.child(self.saml("Audience").text(audience.clone()));
            }
            conditions = conditions.child(restriction);
        }
        conditions.child_if(spec.one_time_use.then(|| self.saml("OneTimeUse")))
    }

    fn authn_statement(&self) -> Option<Element> {
        let spec = self.spec;
        let instant = spec.authn_instant.as_ref()?;
        let class = self.saml("AuthnContextClassRef").text(self.profile.authn_context);
        let statement = self
            .saml("AuthnStatement")
            .attribute("AuthnInstant", self.time(instant))
            .attribute_if("SessionIndex", spec.session_index.clone())
            .attribute_if("SessionNotOnOrAfter", self.time_if(spec.session_not_on_or_after.as_ref()))
            .child(self.saml("AuthnContext").child(class));
        Some(statement)
    }

    fn attribute_statement(&self) -> Option<Element> {
        let spec = self.spec;
        if spec.attributes.is_empty() && spec.nested_name_id.is_none() {
            return None;
        }
        let mut statement = self.saml("AttributeStatement");
        for attribute in &spec.attributes {
            if self.profile.repeats_attributes && attribute.values.len() > 1 {
                for value in &attribute.values {
                    statement = statement.child(self.attribute(attribute, std::slice::from_ref(value)));
                }
            } else {
                statement = statement.child(self.attribute(attribute, &attribute.values));
            }
        }
        let nested = spec.nested_name_id.as_deref().map(|value| self.targeted_id(value));
        Some(statement.child_if(nested))
    }

    fn attribute(&self, attribute: &AttributeSpec, values: &[String]) -> Element {
        let default_format = || self.profile.attribute_name_format.map(str::to_owned);
        let mut element = self
            .saml("Attribute")
            .attribute_if("FriendlyName", attribute.friendly_name.clone())
            .attribute("Name", attribute.name.clone())
            .attribute_if("NameFormat", attribute.name_format.clone().or_else(default_format));
        for value in values {
            element = element.child(self.attribute_value(value));
        }
        element
    }

    fn attribute_value(&self, value: &str) -> Element {
        let mut element = self.saml("AttributeValue");
        if self.profile.schema_prefixes == SchemaPrefixes::OnEachValue {
            element = declare_schema(element);
        }
        if self.profile.schema_prefixes != SchemaPrefixes::Unused {
            element = element.prefixed_attribute("xsi", "type", self.profile.value_type);
        }
        if value.is_empty() {
            return element;
        }
        element.text(value.to_owned())
    }

    fn targeted_id(&self, value: &str) -> Element {
        let name_id = self.saml("NameID").attribute("Format", PERSISTENT).text(value.to_owned());
        self.saml("Attribute")
            .attribute("FriendlyName", "eduPersonTargetedID")
            .attribute("Name", EDU_PERSON_TARGETED_ID)
            .attribute_if("NameFormat", self.profile.attribute_name_format)
            .child(self.saml("AttributeValue").child(name_id))
    }

    fn saml(&self, local: &'static str) -> Element {
        Element::new(self.profile.assertion_prefix, local)
    }

    fn time(&self, time: &DateTime) -> String {
        time.render(self.profile.fraction_digits)
    }

    fn time_if(&self, time: Option<&DateTime>) -> Option<String> {
        time.map(|time| self.time(time))
    }
}

fn declare_schema(element: Element) -> Element {
    element.declare("xs", SCHEMA).declare("xsi", SCHEMA_INSTANCE)
}

/// Puts white space between elements, never inside text. Done before signing: it is part of what is signed.
fn pretty_print(element: &mut Element, indent: &str, depth: usize) {
    if !element.children.iter().any(|node| matches!(node, Node::Element(_))) {
        return;
    }
    let line = |depth: usize| Node::Text(format!("\n{}", indent.repeat(depth)).into());
    let children = std::mem::take(&mut element.children);
    for mut child in children {
        if let Node::Element(inner) = &mut child {
            pretty_print(inner, indent, depth + 1);
        }
        element.children.push(line(depth + 1));
        element.children.push(child);
    }
    element.children.push(line(depth));
}
