import { randomActivation, randomChannelSum, randomMaxPool } from "../../../support/random_ops.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("Activation", randomActivation, { tolerance: 0 });
testOnCuda("ChannelSum", randomChannelSum, { seeds: 12 });
testOnCuda("MaxPool2d, with ties", randomMaxPool, { seeds: 16, tolerance: 1e-6 });
