//! A log file that does not grow for ever: at a size it is put aside, and so many are kept.
//!
//! `name.log` is written to; `name.log.1` is the one before it, and so on. All are for their owner
//! alone.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Result, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::place::Claimed;

/// A log of bounded size.
pub(super) struct Rotating {
    claimed: Claimed,
    most: u64,
    files: usize,
    /// The file and its size; none before the first line, and after an error.
    open: Option<(File, u64)>,
}

impl Rotating {
    pub(super) fn new(claimed: Claimed, most: u64, files: usize) -> Self {
        Self {
            claimed,
            most,
            files: files.max(1),
            open: None,
        }
    }

    fn path(&self) -> &Path {
        &self.claimed.path
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut name = self.path().as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    /// Writes as many of the lines as the file has room for, one at least, and says how many bytes
    /// of them the disk took.
    fn append(&mut self, lines: &[u8]) -> Result<usize> {
        let (mut file, mut size) = match self.open.take() {
            Some(open) => open,
            None => open(self.path())?,
        };
        let mut fits = fitting(lines, self.most.saturating_sub(size));
        if size > 0 && fits == 0 {
            drop(file);
            self.rotate()?;
            (file, size) = open(self.path())?;
            fits = fitting(lines, self.most.saturating_sub(size));
        }
        if fits == 0 {
            fits = lines
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(lines.len(), |end| end + 1);
        }
        // What was written before a disk was full counts: it is not written again.
        let written = file.write(&lines[..fits])?;
        self.open = Some((file, size + written as u64));
        Ok(written)
    }

    /// Moves every file on by one; the oldest goes.
    fn rotate(&self) -> Result<()> {
        if self.files == 1 {
            return std::fs::remove_file(self.path());
        }
        for number in (1..self.files - 1).rev() {
            let from = self.numbered(number);
            if from.exists() {
                std::fs::rename(from, self.numbered(number + 1))?;
            }
        }
        std::fs::rename(self.path(), self.numbered(1))
    }
}

/// The bytes of those lines, of the first on, that are no more than `room`.
fn fitting(lines: &[u8], room: u64) -> usize {
    match usize::try_from(room) {
        Ok(room) if room < lines.len() => lines[..room]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1),
        _ => lines.len(),
    }
}

fn open(path: &Path) -> Result<(File, u64)> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    // One that was there already may have been left open to others.
    file.set_permissions(Permissions::from_mode(0o600))?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

impl Write for Rotating {
    /// Whole lines but where the disk is full, or an error; after an error the file is opened anew.
    fn write(&mut self, lines: &[u8]) -> Result<usize> {
        self.append(lines)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::place;
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    /// P19: files are rotated by size, so many are kept, and all are for their owner alone.
    #[test]
    fn files_are_bounded_in_size_and_number() {
        let folder = tempfile::tempdir().unwrap();
        let claimed = place::claim(folder.path(), "test").unwrap();
        let mut log = Rotating::new(claimed, 25, 3);
        for number in 0..10 {
            write_lines(&mut log, &format!("line {number} is it\n"));
        }
        assert_eq!(
            names(folder.path()),
            ["test.log", "test.log.1", "test.log.2"]
        );
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("test.log"), "line 9 is it\n");
        assert_eq!(read("test.log.2"), "line 7 is it\n");
        for name in names(folder.path()) {
            let mode = folder.path().join(&name).metadata().unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
        }
        // What is longer than a file may be is still written, alone.
        write_lines(&mut log, &"x".repeat(100));
        assert_eq!(read("test.log").len(), 100);
        assert_eq!(names(folder.path()).len(), 3);
    }

    /// P19: lines that come together are parted where a file is full, never within a line.
    #[test]
    fn many_lines_at_once_are_parted_between_lines() {
        let folder = tempfile::tempdir().unwrap();
        let claimed = place::claim(folder.path(), "test").unwrap();
        let mut log = Rotating::new(claimed, 10, 4);
        let long = "x".repeat(20);
        write_lines(&mut log, &format!("one\ntwo\nthree\nfour\n{long}\nlast\n"));
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        // "one\ntwo\n" was the first file and "three\n" the second: with four files the first is gone.
        assert_eq!(read("test.log.3"), "three\n");
        assert_eq!(read("test.log.2"), "four\n");
        assert_eq!(read("test.log.1"), format!("{long}\n"));
        assert_eq!(read("test.log"), "last\n");
    }

    fn write_lines(log: &mut Rotating, line: &str) {
        log.write_all(line.as_bytes()).unwrap();
    }

    /// A log that was there is continued, with its size; a file that is taken away is made again.
    #[test]
    fn a_log_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        let claim = || place::claim(folder.path(), "test").unwrap();
        write_lines(&mut Rotating::new(claim(), 25, 2), "one\n");
        let mut log = Rotating::new(claim(), 25, 2);
        write_lines(&mut log, "two\n");
        let path = folder.path().join("test.log");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        std::fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            // Renaming what is gone fails once; the next line is written.
            let _ = log.write_all("a line of twenty bytes\n".as_bytes());
        }
        assert!(path.exists());
    }
}
