//! `samlp:Response` of the Web Browser SSO profile (profiles 4.1.4): from decoded XML to what is verified.

pub mod mask;
pub mod peek;
pub mod verify;
