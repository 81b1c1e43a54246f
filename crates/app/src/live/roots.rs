//! Whose certificates are believed.

use housecall::sip::{SipOptions, TlsOptions};

use super::LiveError;
use crate::config::Config;

/// Reads the further roots of the configuration.
///
/// # Errors
/// The file cannot be read, or has no certificate in it.
pub fn sip_options(config: &Config) -> Result<SipOptions, LiveError> {
    let Some(file) = &config.sip.roots_file else {
        return Ok(SipOptions::default());
    };
    let what = "the certificates of sip.roots_file";
    let roots_pem = std::fs::read(file).map_err(LiveError::unreadable(what, file))?;
    let tls = TlsOptions {
        roots_pem,
        ..TlsOptions::default()
    };
    tls.check().map_err(|why| LiveError::Roots {
        file: file.display().to_string(),
        why,
    })?;
    Ok(SipOptions {
        tls,
        ..SipOptions::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(file: &std::path::Path) -> String {
        let mut config = Config::default();
        config.sip.roots_file = Some(file.to_owned());
        sip_options(&config).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_roots_that_is_none_is_named_with_what_to_write() {
        let file = std::env::temp_dir().join(format!("housecall-roots-{}", std::process::id()));
        let missing = refusal(&file);
        assert!(missing.contains("sip.roots_file"), "{missing}");
        std::fs::write(&file, "no certificate\n").unwrap();
        let empty = refusal(&file);
        std::fs::remove_file(&file).unwrap();
        for part in ["sip.roots_file", &file.display().to_string(), "PEM"] {
            assert!(empty.contains(part), "{part} in {empty}");
        }
        assert!(
            sip_options(&Config::default())
                .unwrap()
                .tls
                .roots_pem
                .is_empty()
        );
    }
}
