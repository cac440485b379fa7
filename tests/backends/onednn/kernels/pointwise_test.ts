import { randomActivation, randomChannelSum, randomMaxPool } from "../../../support/random_ops.ts";
import { testAgainstReference } from "../against_reference.ts";

testAgainstReference("Activation", randomActivation, { tolerance: 0 });
testAgainstReference("ChannelSum", randomChannelSum);
testAgainstReference("MaxPool2d, with ties", randomMaxPool, { tolerance: 1e-6 });
