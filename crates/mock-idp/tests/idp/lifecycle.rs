//! Starting, describing itself, stopping.

use std::net::{Ipv4Addr, SocketAddr};

use mock_idp::idp::{Options, StartError};
use mock_idp::message::parse::parse;

use crate::client::get;
use crate::scene::{builder, start};

/// Proves that it never listens where others could reach it.
#[tokio::test]
async fn only_loopback_addresses_are_bound() {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    assert!(matches!(builder().bind(address).start().await, Err(StartError::NotLoopback(_))));
}

/// Proves that options which cannot work are refused at the start.
#[tokio::test]
async fn unusable_options_are_refused_at_the_start() {
    let options = Options { request_certificate_pem: Some("nonsense".to_owned()), ..Options::default() };
    assert!(matches!(builder().options(options).start().await, Err(StartError::Options(_))));
}

/// Proves C5 and C7 from the identity provider's side: metadata has entity ID, certificate and both bindings.
#[tokio::test]
async fn metadata_names_entity_id_certificate_and_bindings() {
    let idp = builder().entity_id("urn:mock:\"idp\"&").start().await.expect("a running identity provider");
    let reply = get(&idp.metadata_url()).await;
    assert_eq!(reply.body, idp.metadata_xml());
    let metadata = parse(&reply.body).expect("XML");
    assert_eq!(metadata.value("entityID"), Some("urn:mock:\"idp\"&"));
    let certificate = metadata.find("X509Certificate").expect("a certificate").text_content();
    assert_eq!(certificate, idp.identity().certificate().base64());
    let role = metadata.element("IDPSSODescriptor").expect("a role");
    let services = role.elements().filter(|element| element.value("Location") == Some(&idp.sso_url()));
    assert_eq!(services.count(), 2);
}

/// Proves that stopping frees the port.
#[tokio::test]
async fn a_stopped_provider_frees_its_port() {
    let idp = start().await;
    let address: SocketAddr = idp.base_url().trim_start_matches("http://").parse().expect("an address");
    idp.stop().await;
    std::net::TcpListener::bind(address).expect("the port is free");
}

/// Proves that unknown paths and unusable parameters are refusals, not failures.
#[tokio::test]
async fn unknown_paths_are_not_found() {
    let idp = start().await;
    assert_eq!(get(&format!("{}/unknown", idp.base_url())).await.status, 404);
    assert_eq!(get(&format!("{}/initiate?acs=x", idp.base_url())).await.status, 400);
}
