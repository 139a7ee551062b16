//! A Secret of Kubernetes as the vault.

use std::{collections::BTreeMap, io, time::Duration};

use async_trait::async_trait;
use k8s_openapi::{ByteString, api::core::v1::Secret as Object};
use kube::{
    Api, Client, Config,
    api::{ObjectMeta, PostParams},
};
use leasehold::FencingToken;

use crate::{
    certificates::Certificates,
    vault::{Stored, Vault},
};

/// One Secret. Every write names the version that was read, and its uid, so of two who replace the same
/// version one is refused: a late write, too, that was sent before.
pub(crate) struct Secret {
    api: Api<Object>,
    name: String,
}

impl Secret {
    /// Of this form: `NAMESPACE/NAME`. Found as `kubectl` finds it.
    pub(crate) async fn open(place: &str) -> io::Result<Self> {
        let (namespace, name) = place.split_once('/').ok_or(io::ErrorKind::InvalidInput)?;
        let mut config = Config::infer().await.map_err(io::Error::other)?;
        // Unset, a request that is not answered never ends.
        config.read_timeout = Some(Duration::from_secs(5));
        let client = Client::try_from(config).map_err(io::Error::other)?;
        Ok(Self { api: Api::namespaced(client, namespace), name: name.to_owned() })
    }
}

#[async_trait]
impl Vault for Secret {
    async fn newest(&self) -> io::Result<Option<Stored>> {
        let object = self.api.get_opt(&self.name).await.map_err(io::Error::other)?;
        object.map(stored).transpose()
    }

    async fn replace(
        &self,
        seen: Option<&Stored>,
        token: FencingToken,
        certificates: Option<Certificates>,
    ) -> io::Result<Stored> {
        let (version, uid) = match seen {
            None => (None, None),
            Some(seen) => {
                let (version, uid) =
                    seen.mark.split_once(' ').ok_or(io::ErrorKind::InvalidInput)?;
                (Some(version.to_owned()), Some(uid.to_owned()))
            }
        };
        let files = Stored { mark: String::new(), token, certificates }.files();
        let data: BTreeMap<_, _> = files
            .into_iter()
            .map(|(name, text)| (name.to_owned(), ByteString(text.into_bytes())))
            .collect();
        let metadata = ObjectMeta {
            name: Some(self.name.clone()),
            resource_version: version,
            uid,
            ..ObjectMeta::default()
        };
        let object = Object { metadata, data: Some(data), ..Object::default() };
        let params = PostParams::default();
        let written = match seen {
            None => self.api.create(&params, &object).await,
            Some(_) => self.api.replace(&self.name, &params, &object).await,
        };
        stored(written.map_err(|error| io::Error::new(io::ErrorKind::AlreadyExists, error))?)
    }
}

fn stored(object: Object) -> io::Result<Stored> {
    let ObjectMeta { resource_version, uid, .. } = object.metadata;
    let version = resource_version.ok_or(io::ErrorKind::InvalidData)?;
    let uid = uid.ok_or(io::ErrorKind::InvalidData)?;
    let data = object.data.unwrap_or_default();
    let file = |name: &str| match data.get(name) {
        None => Ok(None),
        Some(ByteString(bytes)) => match String::from_utf8(bytes.clone()) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(io::ErrorKind::InvalidData.into()),
        },
    };
    Stored::of_files(format!("{version} {uid}"), file)
}
