//! The store's atomic step: two scripts that the server runs whole, with nothing in between. All
//! that a review of this backend's safety must read is here.
//!
//! The lease is one hash with the fields `version` and `record`. What is compared is the server's
//! replication id (the era), the version, and a digest of both fields exactly as they are (the
//! witness): where the server's clock was set back and its memory was lost, numbers may come again,
//! but never the same record.

use leasehold_core::{Era, Observation, Record, Version, wire::Unreadable};
use redis::{Cmd, ParsingError, Value};

/// The greatest version that is believed, in the scripts and here.
const GREATEST: u64 = 1 << 52;

/// What both scripts begin with. `KEYS[1]` is the lease, `ARGV[1]` its channel.
///
/// * Permissions first, so that nothing is ever written by halves, and the error names what is
///   missing. (An error reply of one word would be taken for the text of one.)
/// * Only a master is believed: a replica may lag.
/// * Versions above 2^52 are not believed, so that Lua's numbers stay exact.
macro_rules! beginning {
    () => {
        r"
local steps = {
  {'INFO', 'replication'}, {'TIME'},
  {'EXISTS', KEYS[1]}, {'HMGET', KEYS[1], 'version', 'record'},
  {'HSET', KEYS[1], 'version', '', 'record', ''},
  {'PUBLISH', ARGV[1], ''},
}
if not redis.acl_check_cmd then
  return redis.error_reply('LEASEHOLD-OLD server')
end
for _, step in ipairs(steps) do
  local known, allowed = pcall(redis.acl_check_cmd, unpack(step))
  if not known then
    return redis.error_reply('LEASEHOLD-UNKNOWN ' .. step[1])
  end
  if not allowed then
    return redis.error_reply('LEASEHOLD-NOPERM ' .. step[1])
  end
end

local info = redis.call('INFO', 'replication')
local role, era = string.match(info, 'role:(%a+)'), string.match(info, 'master_replid:(%x+)')
if role ~= 'master' then
  return redis.error_reply('READONLY ' .. (role or 'no role'))
end
if not era then
  return redis.error_reply('LEASEHOLD-OLD server')
end

local GREATEST = 2^52
local seen = {era, '0', '', false}
local fields = redis.call('HMGET', KEYS[1], 'version', 'record')
if fields[1] or fields[2] or redis.call('EXISTS', KEYS[1]) == 1 then
  local version, record = fields[1] or '', fields[2] or ''
  if #version <= 16 and string.find(version, '^%d+$') and tonumber(version) <= GREATEST then
    seen[2] = string.format('%.0f', tonumber(version))
  end
  seen[3] = redis.sha1hex(version .. ' ' .. record)
  -- One byte more than is ever parsed: so much is enough to be refused.
  seen[4] = string.sub(record, 1, 4097)
end
"
    };
}

/// Returns `era, version, witness, record`: version 0 and no witness where there is nothing,
/// version 0 and a witness where there is something unbelievable.
const OBSERVE: &str = concat!(beginning!(), "return seen");

/// `ARGV[2..4]` is what is expected, `ARGV[5]` the record that replaces it. Returns whether it was
/// written, and then what is there now.
const SWAP: &str = concat!(
    beginning!(),
    r"
if ARGV[2] ~= seen[1] or ARGV[3] ~= seen[2] or ARGV[4] ~= seen[3] then
  return {0, seen[1], seen[2], seen[3], seen[4]}
end

-- The clock feeds the version, and nothing else: it goes on from above what a forgotten record had.
local time = redis.call('TIME')
local next = math.max(tonumber(seen[2]) + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))
if next > GREATEST then
  return redis.error_reply('LEASEHOLD-CLOCK ' .. string.format('%.0f', next))
end
local version, record = string.format('%.0f', next), ARGV[5]
local witness = redis.sha1hex(version .. ' ' .. record)
redis.call('HSET', KEYS[1], 'version', version, 'record', record)
redis.call('PUBLISH', ARGV[1], table.concat({era, version, witness, record}, ' '))
return {1, era, version, witness, record}
"
);

/// A request: a script, and what it is given.
#[derive(Debug)]
pub(crate) struct Request {
    code: &'static str,
    key: String,
    arguments: Vec<String>,
}

impl Request {
    pub(crate) fn observe(key: &str, channel: &str) -> Self {
        Self { code: OBSERVE, key: key.to_owned(), arguments: vec![channel.to_owned()] }
    }

    pub(crate) fn swap(key: &str, channel: &str, expected: &Observation, record: &Record) -> Self {
        // Whoever saw nothing replaces nothing, whatever version he names.
        let version = match expected.record {
            Some(_) => &expected.version,
            None => &Version::ABSENT,
        };
        let arguments = vec![
            channel.to_owned(),
            expected.era.to_string(),
            version.number().to_string(),
            version.witness().unwrap_or_default().to_owned(),
            record.to_json(),
        ];
        Self { code: SWAP, key: key.to_owned(), arguments }
    }

    /// By the script's digest: short, and refused without effect where the server lacks it.
    pub(crate) fn short(&self) -> Cmd {
        self.command("EVALSHA", redis::Script::new(self.code).get_hash())
    }

    /// With the script itself, which the server then knows.
    pub(crate) fn whole(&self) -> Cmd {
        self.command("EVAL", self.code)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(1).arg(&self.key).arg(&self.arguments);
        command
    }
}

/// What the server shows of a lease, not yet judged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) era: String,
    pub(crate) version: u64,
    pub(crate) witness: String,
    pub(crate) record: Option<Vec<u8>>,
}

/// How a record is unreadable that is there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Flaw {
    #[error(transparent)]
    Record(#[from] Unreadable),
    #[error("its version is not a whole number from 1 to 2^52")]
    Version,
}

impl Seen {
    /// The answer to [`Request::observe`].
    pub(crate) fn observed(answer: Value) -> Result<Self, ParsingError> {
        let (era, version, witness, record): (String, u64, String, Option<Vec<u8>>) =
            redis::from_redis_value(answer)?;
        Ok(Self { era, version, witness, record })
    }

    /// The answer to [`Request::swap`]: whether it was written, and what is there now.
    pub(crate) fn swapped(answer: Value) -> Result<(bool, Self), ParsingError> {
        let (written, era, version, witness, record) = redis::from_redis_value(answer)?;
        Ok((written, Self { era, version, witness, record }))
    }

    /// What the swap script has published.
    pub(crate) fn published(payload: &[u8]) -> Option<Self> {
        let mut parts = payload.splitn(4, |byte| *byte == b' ');
        let mut text = || str::from_utf8(parts.next()?).ok().map(str::to_owned);
        let (era, version, witness) = (text()?, text()?.parse().ok()?, text()?);
        let record = Some(parts.next()?.to_owned());
        Some(Self { era, version, witness, record })
    }

    /// What a candidate is shown. Something unreadable is vacant, and the flaw says why.
    pub(crate) fn judged(&self) -> (Observation, Option<Flaw>) {
        let era = Era::new(self.era.as_str());
        let version = Version::new(self.version.min(GREATEST)).unwrap_or(Version::ABSENT);
        let Some(record) = &self.record else {
            return (Observation::absent(era, version), None);
        };
        let version = version.with_witness(self.witness.as_str());
        let readable = match Record::from_json(record) {
            Ok(_) if !(1..=GREATEST).contains(&self.version) => Err(Flaw::Version),
            Ok(record) => Ok(record),
            Err(unreadable) => Err(Flaw::Record(unreadable)),
        };
        match readable {
            Ok(record) => (Observation::of(era, version, record), None),
            Err(flaw) => {
                (Observation::of(era.clone(), version, Record::unreadable(era)), Some(flaw))
            }
        }
    }
}
