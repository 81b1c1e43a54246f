//! What people on hold hear.

use housecall::Sound;

use super::LiveError;
use crate::config::Config;

/// Reads the music of the configuration, if it names one.
///
/// # Errors
/// The file cannot be read, or is no sound.
pub fn hold_music(config: &Config) -> Result<Option<Sound>, LiveError> {
    let Some(file) = &config.media.hold_music else {
        return Ok(None);
    };
    let bytes = std::fs::read(file).map_err(LiveError::unreadable("media.hold_music", file))?;
    let music = Sound::read(&bytes).map_err(|why| LiveError::Music {
        file: file.display().to_string(),
        why,
    })?;
    Ok(Some(music))
}

#[cfg(test)]
mod tests {
    use housecall::to_wav;

    use super::*;

    /// What becomes of a file with these bytes.
    fn read(name: &str, bytes: &[u8]) -> Result<Option<Sound>, LiveError> {
        let file = std::env::temp_dir().join(format!("housecall-{name}-{}", std::process::id()));
        std::fs::write(&file, bytes).unwrap();
        let mut config = Config::default();
        config.media.hold_music = Some(file.clone());
        let read = hold_music(&config);
        std::fs::remove_file(&file).unwrap();
        read
    }

    #[test]
    fn without_a_line_there_is_our_own_music() {
        assert_eq!(hold_music(&Config::default()).unwrap(), None);
    }

    #[test]
    fn a_file_of_music_is_read() {
        let square = |at| if at / 20 % 2 == 0 { 3_000 } else { -3_000 };
        let file = to_wav(&(0..8_000).map(square).collect::<Vec<i16>>());
        assert!(read("music", &file).unwrap().is_some());
    }

    #[test]
    fn a_file_that_is_no_music_is_named_with_what_to_write() {
        let refusal = read("no-music", b"ID3 not that kind").unwrap_err();
        let words = refusal.to_string();
        for part in ["media.hold_music", "no-music", "WAV or Ogg Opus"] {
            assert!(words.contains(part), "{part} in {words}");
        }
        let mut config = Config::default();
        config.media.hold_music = Some("/nowhere/music.wav".into());
        let missing = hold_music(&config).unwrap_err().to_string();
        assert!(
            missing.contains("cannot read media.hold_music"),
            "{missing}"
        );
    }
}
