//! Leader election over Redis or Valkey.
