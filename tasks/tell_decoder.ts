import { jpegDecoderName } from "../src/image/decode.ts";

/** Says, where pictures are tracked, that JPEG is decoded with other pixels than the published code's. */
export function tellDecoder(): void {
  if (jpegDecoderName() === "libjpeg-turbo") return;
  console.error(
    "libjpeg-turbo is missing: JPEG is decoded in TypeScript, slowly, and boxes differ from " +
      'published ones; "deno task build --install" installs it',
  );
}
