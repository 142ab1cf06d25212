//! Pictures in folders, one folder a class.

use crate::{DataError, Labelled, Result};
use gradwise_core::Real;
use image::DynamicImage;
use image::imageops::FilterType;
use ndarray::{ArrayD, IxDyn};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Pixels {
    /// One channel: brightness.
    Grey,
    /// Three channels: red, green and blue.
    #[default]
    Rgb,
}

/// What happens when a file is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum BadFiles {
    /// It is an error.
    #[default]
    Refuse,
    /// It is left out, and reported.
    Skip,
}

/// A folder of pictures, in which each folder is a class: `set/cat/1.png`, `set/dog/7.jpg`.
///
/// Classes are the folders, in alphabetic order of their names ([`ImageFolder::with_classes`] says others); files are taken in that
/// order, too, at any depth below their class. Files whose names begin with a dot are none. PNG and JPEG are decoded, whatever a file is
/// called.
///
/// ```
/// use gradwise_data::{ImageFolder, Pixels};
///
/// let folder = tempfile::tempdir().unwrap();
/// for (class, value) in [("day", 250), ("night", 10)] {
///     std::fs::create_dir(folder.path().join(class)).unwrap();
///     image::GrayImage::from_pixel(8, 6, image::Luma([value])).save(folder.path().join(class).join("1.png")).unwrap();
/// }
/// let (set, bad) = ImageFolder::open(folder.path())?.pixels(Pixels::Grey).read::<f32>(2)?;
/// assert_eq!((set.inputs().shape(), set.labels(), bad.len()), (&[2, 1, 6, 8][..], &[0, 1][..], 0));
/// assert_eq!((set.class_name(1), set.inputs()[[0, 0, 0, 0]]), ("night".to_owned(), 250.0));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFolder {
    folder: PathBuf,
    classes: Vec<String>,
    files: Vec<(PathBuf, usize)>,
    pixels: Pixels,
    size: Option<(usize, usize)>,
    bad_files: BadFiles,
}

/// A file that was left out, and why.
#[derive(Debug)]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub error: DataError,
}

impl ImageFolder {
    /// The largest number of bytes that decoding one file may take: 512 MiB. A file that claims more is a bad one.
    pub const MOST_BYTES: u64 = 512 << 20;

    /// Lists a folder; nothing is decoded yet.
    ///
    /// # Errors
    /// If it cannot be read, or has no folder with a file in it.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let mut names: Vec<PathBuf> = list(folder)?.into_iter().filter(|path| path.is_dir()).collect();
        names.sort();
        let (mut classes, mut files) = (Vec::new(), Vec::new());
        for path in names {
            let mut found = Vec::new();
            walk(&path, &mut found)?;
            found.sort();
            files.extend(found.into_iter().map(|file| (file, classes.len())));
            classes.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        if files.is_empty() {
            let (folder, expected) = (folder.display().to_string(), "anything in a folder of its class".to_owned());
            return Err(DataError::Missing { folder, expected });
        }
        let (pixels, bad_files) = (Pixels::default(), BadFiles::default());
        Ok(ImageFolder { folder: folder.to_owned(), classes, files, pixels, size: None, bad_files })
    }

    /// What a pixel becomes, whatever it is in the file; RGB unless told otherwise. Transparency is left out.
    #[must_use]
    pub fn pixels(self, pixels: Pixels) -> Self {
        ImageFolder { pixels, ..self }
    }

    /// Brings all pictures to one height and width, by linear interpolation over the pixels that come together, whatever shape that gives
    /// them. Otherwise they must have one size.
    ///
    /// # Errors
    /// If one of them is 0, or above 65,535.
    pub fn size(self, height: usize, width: usize) -> Result<Self> {
        if height == 0 || width == 0 || height.max(width) > 65_535 {
            let got = format!("{height} and {width}");
            return Err(DataError::value("image folder: height and width", "numbers from 1 to 65535", got));
        }
        Ok(ImageFolder { size: Some((height, width)), ..self })
    }

    /// What happens when a file is no picture; it is an error unless told otherwise.
    #[must_use]
    pub fn bad_files(self, bad_files: BadFiles) -> Self {
        ImageFolder { bad_files, ..self }
    }

    /// With the classes of another folder, such as that of the training part: each keeps its number there, though this folder lacks some.
    ///
    /// ```
    /// use gradwise_data::{ImageFolder, Samples};
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// for file in ["train/day/1.png", "train/night/1.png", "test/night/2.png"] {
    ///     let path = folder.path().join(file);
    ///     std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    ///     image::GrayImage::new(8, 6).save(path).unwrap();
    /// }
    /// let train = ImageFolder::open(folder.path().join("train"))?;
    /// let test = ImageFolder::open(folder.path().join("test"))?.with_classes(train.classes())?;
    /// let (set, _) = test.read::<f32>(1)?;
    /// assert_eq!((set.labels(), set.n_classes()), (&[1][..], 2));
    /// # Ok::<(), gradwise_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If this folder has a picture of a class that is none of them.
    pub fn with_classes<N: AsRef<str>>(mut self, classes: &[N]) -> Result<Self> {
        let classes: Vec<String> = classes.iter().map(|name| name.as_ref().to_owned()).collect();
        let number = |class: &usize| {
            let name = &self.classes[*class];
            classes.iter().position(|other| other == name).ok_or_else(|| {
                let got = format!("`{name}` in {}", self.folder.display());
                DataError::value("image folder: class", format!("one of {}", classes.join(", ")), got)
            })
        };
        let numbers = self.files.iter().map(|(_, class)| number(class)).collect::<Result<Vec<_>>>()?;
        self.files.iter_mut().zip(numbers).for_each(|((_, class), number)| *class = number);
        Ok(ImageFolder { classes, ..self })
    }

    /// The classes: in alphabetic order, unless they are those of another folder.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The files, in order, each with its class.
    pub fn files(&self) -> &[(PathBuf, usize)] {
        &self.files
    }

    /// Decodes all files on some threads, into `[N, channels, height, width]` with values from 0 to 255 (16-bit pictures are brought to
    /// that). The files that were left out are returned besides, in order. The result does not depend on the number of threads.
    ///
    /// # Errors
    /// If a file cannot be decoded or has another size than the first (unless it may be skipped), none is left, or there is no thread.
    pub fn read<T: Real>(&self, threads: usize) -> Result<(Labelled<T>, Vec<BadFile>)> {
        if threads == 0 {
            return Err(DataError::value("image folder: threads", "at least 1", threads));
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some((path, _)) = self.files.get(i) else { return done };
                let decoded = self.decode(path);
                // Where a bad file is an error, there is no use in decoding the others.
                if decoded.is_err() && self.bad_files == BadFiles::Refuse {
                    next.store(self.files.len(), Ordering::Relaxed);
                }
                done.push((i, decoded));
            }
        };
        let mut decoded = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.min(self.files.len())).map(|_| scope.spawn(work)).collect();
            let mut decoded = work();
            for other in others {
                match other.join() {
                    Ok(part) => decoded.extend(part),
                    Err(_) => decoded.push((0, Err(DataError::Other("image folder: the decoder panicked".to_owned())))),
                }
            }
            decoded
        });
        decoded.sort_by_key(|(i, _)| *i);
        self.join(decoded)
    }

    /// Puts pictures together, in order.
    fn join<T: Real>(&self, decoded: Vec<(usize, Result<Picture>)>) -> Result<(Labelled<T>, Vec<BadFile>)> {
        let (mut values, mut labels, mut bad) = (Vec::<T>::new(), Vec::new(), Vec::new());
        let mut first: Option<(usize, usize)> = self.size;
        for (i, picture) in decoded {
            let (path, class) = &self.files[i];
            let fitting = picture.and_then(|picture| {
                let size = (picture.height, picture.width);
                let (height, width) = *first.get_or_insert(size);
                if size == (height, width) {
                    return Ok(picture);
                }
                let expected = format!("{height} x {width} pixels, as the first picture (or a size to bring all to)");
                let (file, got) = (path.display().to_string(), format!("{} x {}", size.0, size.1));
                Err(DataError::Format { file, offset: 0, expected, got })
            });
            match fitting {
                Ok(picture) => {
                    let pixels = picture.height * picture.width;
                    let channels = picture.values.len() / pixels.max(1);
                    let no_memory = |_| DataError::Memory {
                        file: self.folder.display().to_string(),
                        bytes: (picture.values.len() * size_of::<T>()) as u64,
                    };
                    values.try_reserve(picture.values.len()).map_err(no_memory)?;
                    for channel in 0..channels {
                        let plane = picture.values.iter().skip(channel).step_by(channels);
                        values.extend(plane.map(|&value| T::of(f64::from(value))));
                    }
                    labels.push(*class);
                }
                Err(error) if self.bad_files == BadFiles::Refuse => return Err(error),
                Err(error) => bad.push(BadFile { path: path.clone(), error }),
            }
        }
        let (height, width) = first.unwrap_or_default();
        let channels = if self.pixels == Pixels::Grey { 1 } else { 3 };
        let inputs = ArrayD::from_shape_vec(IxDyn(&[labels.len(), channels, height, width]), values)
            .unwrap_or_else(|_| unreachable!("as many values as the pictures have"));
        let set = Labelled::new(inputs, labels, self.classes.len())?;
        Ok((set.with_class_names(&self.classes)?, bad))
    }

    fn decode(&self, path: &Path) -> Result<Picture> {
        let broken = |error: image::ImageError| match error {
            image::ImageError::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                DataError::io(path, source)
            }
            error => DataError::Format {
                file: path.display().to_string(),
                offset: 0,
                expected: "a PNG or JPEG picture".to_owned(),
                got: error.to_string(),
            },
        };
        let mut reader = image::ImageReader::open(path)
            .and_then(image::ImageReader::with_guessed_format)
            .map_err(|error| DataError::io(path, error))?;
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(Self::MOST_BYTES);
        reader.limits(limits);
        let mut picture = reader.decode().map_err(broken)?;
        if let Some((height, width)) = self.size
            && (picture.height() as usize, picture.width() as usize) != (height, width)
        {
            picture = picture.resize_exact(width as u32, height as u32, FilterType::Triangle);
        }
        let (height, width) = (picture.height() as usize, picture.width() as usize);
        let values = match self.pixels {
            Pixels::Grey => DynamicImage::into_luma8(picture).into_raw(),
            Pixels::Rgb => DynamicImage::into_rgb8(picture).into_raw(),
        };
        Ok(Picture { height, width, values })
    }
}

/// A decoded picture: all channels of each pixel, row by row.
struct Picture {
    height: usize,
    width: usize,
    values: Vec<u8>,
}

/// What is in a folder, but for hidden files.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| DataError::io(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| DataError::io(folder, error))?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// All files below a folder. Links to folders are not followed: they may lead back.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in list(folder)? {
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
