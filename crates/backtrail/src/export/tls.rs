//! Connections, with TLS where the address asks for it.

use http::Uri;

use super::ExporterError;
use super::dial::Dialer;
use crate::config::TlsFiles;
#[cfg(not(feature = "tls"))]
use crate::config::without_credentials;

#[cfg(feature = "tls")]
pub(super) type Connector = hyper_rustls::HttpsConnector<Dialer>;
#[cfg(not(feature = "tls"))]
pub(super) type Connector = Dialer;

#[cfg(not(feature = "tls"))]
pub(super) fn connector(
    dialer: Dialer,
    endpoint: &Uri,
    _files: &TlsFiles,
    _is_grpc: bool,
) -> Result<Connector, ExporterError> {
    if endpoint.scheme_str() == Some("https") {
        return Err(ExporterError::TlsIsOff(without_credentials(
            &endpoint.to_string(),
        )));
    }
    Ok(dialer)
}

#[cfg(feature = "tls")]
pub(super) fn connector(
    dialer: Dialer,
    endpoint: &Uri,
    files: &TlsFiles,
    is_grpc: bool,
) -> Result<Connector, ExporterError> {
    let config = if endpoint.scheme_str() == Some("https") {
        secured::config(files)?
    } else {
        // Never used for a connection; roots are not looked for.
        secured::without_roots()
    };
    let builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http();
    Ok(if is_grpc {
        builder.enable_http2().wrap_connector(dialer)
    } else {
        builder.enable_http1().wrap_connector(dialer)
    })
}

#[cfg(feature = "tls")]
mod secured {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, RootCertStore};

    use super::{ExporterError, TlsFiles};
    use crate::config::Identity;

    pub(super) fn without_roots() -> ClientConfig {
        builder(RootCertStore::empty()).with_no_client_auth()
    }

    pub(super) fn config(files: &TlsFiles) -> Result<ClientConfig, ExporterError> {
        let roots = match &files.certificate {
            Some(path) => named_roots(path)?,
            None => machine_roots()?,
        };
        let builder = builder(roots);
        let (certificate, key) = match &files.identity {
            None => return Ok(builder.with_no_client_auth()),
            Some(Identity::Whole { certificate, key }) => (certificate, key),
            Some(Identity::Half { named, missing }) => {
                return Err(ExporterError::HalfAnIdentity {
                    named: named.clone(),
                    missing: missing.clone(),
                });
            }
        };
        let chain = certificates(certificate)?;
        let private_key =
            PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| of_no_use(key, &error))?;
        builder
            .with_client_auth_cert(chain, private_key)
            .map_err(|error| of_no_use(certificate, &error))
    }

    fn builder(
        roots: RootCertStore,
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        // Named, because a service may have no default provider, or two.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        versions
            .unwrap_or_else(|error| unreachable!("ring has the default versions: {error}"))
            .with_root_certificates(roots)
    }

    fn named_roots(path: &Path) -> Result<RootCertStore, ExporterError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|error| of_no_use(path, &error))?;
        }
        Ok(roots)
    }

    fn machine_roots() -> Result<RootCertStore, ExporterError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
            return Err(ExporterError::NoRoots(reasons.join("; ")));
        }
        Ok(roots)
    }

    fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ExporterError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
        match chain {
            Ok(chain) if chain.is_empty() => Err(of_no_use(path, &"it has no certificate")),
            Ok(chain) => Ok(chain),
            Err(error) => Err(of_no_use(path, &error)),
        }
    }

    fn read(path: &Path) -> Result<Vec<u8>, ExporterError> {
        fs::read(path).map_err(|error| ExporterError::File {
            path: path.to_owned(),
            error,
        })
    }

    fn of_no_use(path: &Path, reason: &dyn std::fmt::Display) -> ExporterError {
        ExporterError::Certificate {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}
