import type { NamedTensorMap } from "@tensorflow/tfjs";
import type { BackendOptions } from "../host_backend.ts";
import type {
  InferenceRecordingBackend,
  RecordedStep,
  RecordingBackend,
  StepInputs,
} from "../in_place_backend.ts";
import { NativeCpu } from "./bindings/native.ts";
import { ConvPlans } from "./conv_plans.ts";
import { type DryCapture, NativeBackend } from "./native_backend.ts";
import { RecordedInference } from "./record_inference.ts";
import { RecordedTraining } from "./record_training.ts";
import { nativeLibrary } from "./toolchain.ts";

/**
 * Starts the CPU backend with native kernels; compiles them at the first use.
 *
 * @throws {NotCompiledError} If they would have to be compiled, but `options.compile` is false.
 * @throws {Error} If they cannot be compiled here, with the remedy.
 */
export async function createOnednn(options: BackendOptions): Promise<OnednnBackend> {
  const file = await nativeLibrary(undefined, { mayCompile: options.compile });
  return new OnednnBackend(new NativeCpu(file), options);
}

/** Tensors in host memory, kernels in C++ over oneDNN. */
export class OnednnBackend extends NativeBackend
  implements InferenceRecordingBackend, RecordingBackend {
  /** {@linkcode RecordingBackend.queues} */
  readonly queues = false;
  /** Threads that kernels use. */
  readonly threads: number;
  /** What oneDNN has prepared for each shape of a convolution. */
  readonly convolutions: ConvPlans;

  constructor(
    native: NativeCpu,
    {
      threads = 0,
      precision = "float32",
      tiles = true,
      winograd = true,
      small = true,
      pinThreads = false,
    }: BackendOptions = {},
  ) {
    super(native);
    this.threads = native.setThreads(threads);
    if (pinThreads) native.pinThreads();
    const tileParts = !tiles ? 0 : precision === "float32" ? 3 : 2;
    this.convolutions = new ConvPlans(this, { tileParts, winograd, small });
  }

  /** {@linkcode RecordingBackend.record} */
  record<T extends NamedTensorMap>(
    inputs: StepInputs,
    run: (inputs: NamedTensorMap) => T,
  ): RecordedStep<T> {
    return new RecordedTraining(this, inputs, run);
  }

  /** {@linkcode InferenceRecordingBackend.recordInference} */
  recordInference<T extends NamedTensorMap>(
    inputs: StepInputs,
    run: (inputs: NamedTensorMap) => T,
  ): RecordedStep<T> {
    return new RecordedInference(this, inputs, run);
  }

  override captureDry<T>(run: () => T): DryCapture<T> {
    try {
      return super.captureDry(run);
    } finally {
      this.convolutions.forgetUnfilled();
    }
  }
}
