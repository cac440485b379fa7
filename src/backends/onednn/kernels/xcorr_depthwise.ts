import { XcorrDepthwise, xcorrOutputShape } from "../../../ops/xcorr_depthwise.ts";
import type { OnednnBackend } from "../backend.ts";

export const xcorrDepthwiseOnednn = XcorrDepthwise.kernel(
  "onednn",
  (cpu: OnednnBackend, { x, z }, { padding, flip }) => {
    const y = cpu.empty(xcorrOutputShape(x.shape, z.shape, padding));
    cpu.run("siamban_xcorr_depthwise", { x, z, y }, {
      integers: [
        ...x.shape,
        ...z.shape.slice(1, 3),
        ...y.shape.slice(1, 3),
        padding,
        Number(flip),
      ],
    });
    return y;
  },
);
