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
    let named = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|why| LiveError::MusicUnreadable {
        file: named.clone(),
        why,
    })?;
    let music = Sound::read(&bytes).map_err(|why| LiveError::Music { file: named, why })?;
    Ok(Some(music))
}

#[cfg(test)]
mod tests {
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

    /// A second of a slow square wave as a WAV file: PCM, mono, 8000 Hz, 16 bits.
    fn wav() -> Vec<u8> {
        let samples = (0..8_000).map(|at| if at / 20 % 2 == 0 { 3_000_i16 } else { -3_000 });
        let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
        let length = data.len() as u32;
        let format = [16_u32.to_le_bytes(), [1, 0, 1, 0], 8_000_u32.to_le_bytes()];
        let rates = [16_000_u32.to_le_bytes(), [2, 0, 16, 0]];
        let parts = [
            &b"RIFF"[..],
            &(36 + length).to_le_bytes(),
            b"WAVEfmt ",
            &format.concat(),
            &rates.concat(),
            b"data",
            &length.to_le_bytes(),
            &data,
        ];
        parts.concat()
    }

    #[test]
    fn without_a_line_there_is_our_own_music() {
        assert_eq!(hold_music(&Config::default()).unwrap(), None);
    }

    #[test]
    fn a_file_of_music_is_read() {
        assert!(read("music", &wav()).unwrap().is_some());
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
