//! Helpers of the fuzz targets.
