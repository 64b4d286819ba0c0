//! QR codes: SVG for pages, PNG for mail (mail clients drop SVG).

use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

use crate::kernel::{Error, Result};

/// Light modules around the code, as the standard asks for.
const QUIET_MODULES: usize = 4;
/// Pixels of one module in a PNG.
const MODULE_PIXELS: usize = 8;

fn encode(code: &str) -> Result<QrCode> {
    QrCode::with_error_correction_level(code, EcLevel::M).map_err(Error::internal)
}

/// An SVG picture of a code.
pub fn svg(code: &str) -> Result<String> {
    let picture = encode(code)?;
    Ok(picture.render::<svg::Color<'_>>().min_dimensions(240, 240).quiet_zone(true).build())
}

/// A PNG picture of a code, one bit per pixel.
pub fn png(code: &str) -> Result<Vec<u8>> {
    let picture = encode(code)?;
    let width = picture.width();
    let modules = picture.to_colors();
    let side = (width + 2 * QUIET_MODULES) * MODULE_PIXELS;
    let dark = |x: usize, y: usize| {
        let module = |at: usize| (at / MODULE_PIXELS).checked_sub(QUIET_MODULES);
        match (module(x), module(y)) {
            (Some(x), Some(y)) if x < width && y < width => {
                modules.get(y * width + x) == Some(&Color::Dark)
            }
            _ => false,
        }
    };
    let mut pixels = Vec::with_capacity(side * side.div_ceil(8));
    for y in 0..side {
        for first in (0..side).step_by(8) {
            let bit = |byte: u8, x: usize| (byte << 1) | u8::from(x >= side || !dark(x, y));
            pixels.push((first..first + 8).fold(0, bit));
        }
    }
    let side = u32::try_from(side).map_err(Error::internal)?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(Error::internal)?;
    writer.write_image_data(&pixels).map_err(Error::internal)?;
    writer.finish().map_err(Error::internal)?;
    Ok(file)
}
