//! Objects as the users of the controller have them: they say what they want, and look at what was made.

use std::{ffi::OsString, fs, path::PathBuf};

use leasehold_integration::Fleet;

/// Where they are.
pub(crate) enum Objects {
    Directory(PathBuf),
    #[cfg(feature = "kubernetes")]
    ConfigMaps(Box<config_maps::ConfigMaps>),
}

/// Each of them is named after its number.
pub(crate) fn name(number: usize) -> String {
    format!("object-{number}")
}

impl Objects {
    /// As the controller is told of it.
    pub(crate) fn place(&self) -> OsString {
        match self {
            Self::Directory(path) => path.into(),
            #[cfg(feature = "kubernetes")]
            Self::ConfigMaps(objects) => format!("configmaps:{}", objects.namespace).into(),
        }
    }

    /// The copies of its controller, none at first.
    pub(crate) fn fleet(&self) -> Fleet {
        let fleet = Fleet::new(env!("CARGO_BIN_EXE_controller"));
        match self {
            Self::Directory(_) => fleet,
            #[cfg(feature = "kubernetes")]
            Self::ConfigMaps(objects) => fleet.with_env("KUBECONFIG", &objects.kubeconfig),
        }
    }

    /// Creates so many, of which this is wanted and, some time ago, was made.
    pub(crate) async fn create(&self, count: usize, wanted: &str) {
        match self {
            Self::Directory(path) => {
                fs::create_dir_all(path).unwrap();
                for number in 0..count {
                    fs::write(path.join(format!("{}.made.1", name(number))), wanted).unwrap();
                    want_in(path, number, wanted);
                }
            }
            #[cfg(feature = "kubernetes")]
            Self::ConfigMaps(objects) => objects.create(count, wanted).await,
        }
    }

    /// Wants something of one.
    pub(crate) async fn want(&self, number: usize, wanted: &str) {
        match self {
            Self::Directory(path) => want_in(path, number, wanted),
            #[cfg(feature = "kubernetes")]
            Self::ConfigMaps(objects) => objects.want(number, wanted).await,
        }
    }

    /// What was made of one, and in the term of which token.
    pub(crate) async fn made(&self, number: usize) -> (String, u64) {
        match self {
            Self::Directory(path) => {
                let prefix = format!("{}.made.", name(number));
                let token = fs::read_dir(path)
                    .unwrap()
                    .filter_map(|entry| {
                        let name = entry.unwrap().file_name().into_string().unwrap();
                        name.strip_prefix(&prefix).map(|token| token.parse().unwrap())
                    })
                    .max()
                    .unwrap();
                (fs::read_to_string(path.join(format!("{prefix}{token}"))).unwrap(), token)
            }
            #[cfg(feature = "kubernetes")]
            Self::ConfigMaps(objects) => objects.made(number).await,
        }
    }
}

fn want_in(path: &std::path::Path, number: usize, wanted: &str) {
    let unfinished = path.join(format!("{}.new", name(number)));
    fs::write(&unfinished, wanted).unwrap();
    fs::rename(&unfinished, path.join(format!("{}.wanted", name(number)))).unwrap();
}

#[cfg(feature = "kubernetes")]
pub(crate) mod config_maps {
    use std::{path::PathBuf, time::Duration};

    use futures::{StreamExt, stream};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{
        Api, Client, Config,
        api::{Patch, PatchParams, PostParams},
        config::{KubeConfigOptions, Kubeconfig},
    };
    use leasehold_testkit::kubernetes::Apiserver;

    pub(crate) struct ConfigMaps {
        pub(crate) kubeconfig: PathBuf,
        pub(crate) namespace: String,
        api: Api<ConfigMap>,
    }

    impl ConfigMaps {
        pub(crate) async fn of(server: &Apiserver) -> Box<Self> {
            let kubeconfig = server.kubeconfig().to_owned();
            let options = KubeConfigOptions::default();
            let file = Kubeconfig::read_from(&kubeconfig).unwrap();
            let mut config = Config::from_custom_kubeconfig(file, &options).await.unwrap();
            config.read_timeout = Some(Duration::from_secs(30));
            let client = Client::try_from(config).unwrap();
            let namespace = server.namespace().to_owned();
            let api = Api::namespaced(client, &namespace);
            Box::new(Self { kubeconfig, namespace, api })
        }

        pub(super) async fn create(&self, count: usize, wanted: &str) {
            let create = |number| async move {
                let mut object = ConfigMap::default();
                object.metadata.name = Some(super::name(number));
                let data = ["wanted", "made"].map(|key| (key.to_owned(), wanted.to_owned()));
                object.data = Some(data.into());
                self.api.create(&PostParams::default(), &object).await.unwrap();
            };
            stream::iter(0..count).for_each_concurrent(16, create).await;
        }

        pub(super) async fn want(&self, number: usize, wanted: &str) {
            let patch = Patch::Merge(serde_json::json!({ "data": { "wanted": wanted } }));
            let name = super::name(number);
            self.api.patch(&name, &PatchParams::default(), &patch).await.unwrap();
        }

        pub(super) async fn made(&self, number: usize) -> (String, u64) {
            let object = self.api.get(&super::name(number)).await.unwrap();
            let token = object.metadata.annotations.unwrap_or_default();
            let token = token.get("leasehold.dev/token").map_or(0, |token| token.parse().unwrap());
            (object.data.unwrap()["made"].clone(), token)
        }
    }
}
