//! The parameters of a model, as groups select them.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor};

/// A floating-point parameter of a model.
///
/// Buffers that Burn visits as parameters, such as the running averages of a batch norm, are among
/// them, and not [`trainable`](Self::trainable).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParamInfo {
    /// The names of fields, and of the places in vectors, arrays and tuples, that lead to it, as in
    /// `blocks.3.norm.gamma`. Burn's optimizers and schedulers know it by the same path.
    pub path: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of the module whose field it is, as in `Linear`; empty for a model that is a parameter.
    pub module: String,
    /// Whether it will have gradients once the model is in [training mode](Module::train), whatever its
    /// device is now and whether or not its value has been drawn: it may be frozen, or a buffer.
    pub trainable: bool,
    /// The type of its numbers; of one whose value has not been drawn yet, that of its device.
    pub dtype: DType,
    /// Burn's identity of it, which two parameters share that are the same.
    pub id: ParamId,
}

impl ParamInfo {
    /// The number of dimensions: 1 for biases and for what norms scale with, 2 for matrices.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The last part of the path, as in `weight`.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// The floating-point parameters of `model`, in the order in which Burn visits them.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn_lr_training::optim::parameters;
///
/// let model: Linear = LinearConfig::new(8, 2).init(&burn::tensor::Device::flex().autodiff());
/// let [weight, bias] = &parameters(&model)[..] else { panic!() };
/// assert_eq!((weight.path.as_str(), weight.rank(), weight.module.as_str()), ("weight", 2, "Linear"));
/// assert_eq!((bias.path.as_str(), &bias.shape[..]), ("bias", &[2][..]));
/// ```
pub fn parameters<M: Module>(model: &M) -> Vec<ParamInfo> {
    let mut visitor = Visitor::default();
    model.visit(&mut visitor);
    visitor.found
}

/// Whether `param` has gradients in training mode.
fn is_trained<const D: usize>(mut param: Param<Tensor<D>>) -> bool {
    if !param.is_initialized() {
        // What it is configured with goes over to a value that is loaded; its own is not drawn for it.
        let id = param.id;
        let value = Tensor::zeros(param.lazy_shape(), &param.lazy_device());
        param = param.transform_for_load(value, id);
    }
    param.train().is_require_grad()
}

#[derive(Default)]
struct Visitor {
    path: Vec<String>,
    containers: Vec<String>,
    found: Vec<ParamInfo>,
}

impl ModuleVisitor for Visitor {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // As "Struct:Linear", and "Vec", "Array" and "Tuple" for places in these.
        let module = self.containers.iter().rev();
        let module = module.filter_map(|container| container.split_once(':'));
        self.found.push(ParamInfo {
            path: self.path.join("."),
            // Without drawing weights that nobody has asked for yet: another order gives other ones.
            shape: param.lazy_shape().to_vec(),
            module: module
                .map(|(_, name)| name.to_owned())
                .next()
                .unwrap_or_default(),
            trainable: is_trained(param.clone()),
            dtype: if param.is_initialized() {
                param.dtype()
            } else {
                param.lazy_device().settings().float_dtype.into()
            },
            id: param.id,
        });
    }
}
