//! Which weight goes where.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, DType, Int, Shape, Tensor, TensorData};
use burn_pack::Tensor as FileTensor;
use burn_store::{ModuleAdapter, ModuleContext, PyTorchToBurnAdapter, bridge};

use super::report::{Mismatch, WeightsReport};

/// The values of the parameters of `model` by their paths, in Burn's layout and in their type, and how
/// well `tensors` fit. No weights are drawn, and `model` is not touched.
///
/// # Errors
/// What keeps the data of a tensor from being read.
pub(super) fn fit<M: Module>(
    model: &M,
    tensors: BTreeMap<String, FileTensor>,
) -> Result<(HashMap<String, TensorData>, WeightsReport), String> {
    let mut fitting = Fitting {
        place: Place::default(),
        tensors,
        values: HashMap::new(),
        report: WeightsReport::default(),
        unread: None,
    };
    model.visit(&mut fitting);
    let Fitting {
        tensors,
        values,
        mut report,
        unread,
        ..
    } = fitting;
    if let Some(reason) = unread {
        return Err(reason);
    }
    let counts = |name: &String| name.rsplit('.').next() == Some("num_batches_tracked");
    report.unexpected = tensors.into_keys().filter(|name| !counts(name)).collect();
    Ok((values, report))
}

/// Where in a model one is, without the variants of enums, which PyTorch does not have.
#[derive(Default)]
struct Place {
    path: Vec<String>,
    containers: Vec<String>,
}

impl Place {
    fn enter(&mut self, name: &str, container: &str) {
        self.containers.push(container.to_owned());
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit(&mut self) {
        let container = self.containers.pop().unwrap_or_default();
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn name(&self) -> String {
        self.path.join(".")
    }

    /// What PyTorch calls the parameter here, if that differs.
    fn alternative(&self, adapter: &impl ModuleAdapter) -> Option<String> {
        let module = self.context().module_type()?;
        let (last, before) = self.path.split_last()?;
        let last = adapter.get_alternative_param_name(last, module)?;
        Some([before, &[last]].concat().join("."))
    }

    fn context(&self) -> ModuleContext<'_> {
        ModuleContext::new(&self.containers)
    }
}

/// Finds the weight of each parameter.
struct Fitting {
    place: Place,
    /// Those that have not been found a place yet.
    tensors: BTreeMap<String, FileTensor>,
    values: HashMap<String, TensorData>,
    report: WeightsReport,
    /// Why a weight could not be read.
    unread: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Float,
    Int,
    Bool,
}

impl Kind {
    fn of(dtype: DType) -> Option<Self> {
        match dtype {
            dtype if dtype.is_float() => Some(Self::Float),
            dtype if dtype.is_int() || dtype.is_uint() => Some(Self::Int),
            dtype if dtype.is_bool() => Some(Self::Bool),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int => "integer",
            Self::Bool => "bool",
        }
    }
}

impl Fitting {
    /// `dtype` is what the parameter's numbers shall have.
    fn place(&mut self, kind: Kind, shape: Shape, dtype: DType) {
        let name = self.place.name();
        let adapter = PyTorchToBurnAdapter;
        let own = self.tensors.remove(&name);
        let found = own.or_else(|| self.tensors.remove(&self.place.alternative(&adapter)?));
        let Some(mut tensor) = found else {
            // Of a parameter at two places, the second finds the first one's.
            if !self.values.contains_key(&name) {
                self.report.missing.push(name);
            }
            return;
        };
        // It is on its way into this parameter, whatever it was called in the file.
        tensor.name.clone_from(&name);
        let tensor = adapter.adapt(tensor, self.place.context());
        let own_kind = Kind::of(tensor.dtype);
        if own_kind != Some(kind) || tensor.shape != shape {
            let found = own_kind.map_or_else(
                || format!("{:?}", tensor.dtype),
                |kind| kind.name().to_owned(),
            );
            self.report.mismatched.push(Mismatch {
                name,
                expected: format!("{} {:?}", kind.name(), shape.to_vec()),
                found: format!("{found} {:?}", tensor.shape.to_vec()),
            });
            return;
        }
        match bridge::into_data(tensor) {
            Ok(data) => {
                self.values.insert(name.clone(), data.convert_dtype(dtype));
                self.report.loaded.push(name);
            }
            Err(error) => {
                self.unread.get_or_insert(format!("{name}: {error}"));
            }
        }
    }
}

/// The type of the numbers of `param`, without drawing them.
macro_rules! dtype {
    ($param:expr, $of_device:ident) => {
        if $param.is_initialized() {
            $param.dtype()
        } else {
            $param.lazy_device().settings().$of_device.into()
        }
    };
}

impl ModuleVisitor for Fitting {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.place.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.place(Kind::Float, param.lazy_shape(), dtype!(param, float_dtype));
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.place(Kind::Int, param.lazy_shape(), dtype!(param, int_dtype));
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.place(Kind::Bool, param.lazy_shape(), dtype!(param, bool_dtype));
    }
}

/// Puts values in their places.
pub(super) struct Filling {
    place: Place,
    values: HashMap<String, TensorData>,
}

impl Filling {
    pub(super) fn new(values: HashMap<String, TensorData>) -> Self {
        Self {
            place: Place::default(),
            values,
        }
    }

    fn value<const D: usize, K: Basic>(
        &self,
        device: &burn::tensor::Device,
    ) -> Option<Tensor<D, K>> {
        let data = self.values.get(&self.place.name())?.clone();
        let dtype = data.dtype();
        Some(Tensor::from_data(data, (device, dtype)))
    }
}

impl ModuleMapper for Filling {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.place.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        match self.value(&param.lazy_device()) {
            Some(value) => param.transform_for_load(value, id),
            None => param,
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        let id = param.id;
        match self.value(&param.lazy_device()) {
            Some(value) => param.transform_for_load(value, id),
            None => param,
        }
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        let id = param.id;
        match self.value(&param.lazy_device()) {
            Some(value) => param.transform_for_load(value, id),
            None => param,
        }
    }
}
