/// <reference lib="deno.worker" />
/** A thread of `scoreBenchmark`: takes a share, sends its scores back. */
import {
  type ScoreRequest,
  type ScoreShare,
  scoreShare,
  type ShareOptions,
} from "./score_benchmark.ts";

interface Message {
  readonly request: ScoreRequest;
  readonly share: ShareOptions;
}

self.onmessage = async ({ data: { request, share } }: MessageEvent<Message>) => {
  try {
    const { scores, problems, extras } = (await scoreShare(request, share)).scores;
    self.postMessage({ scores, problems, extras } satisfies ScoreShare);
  } catch (error) {
    self.postMessage({ error: (error as Error).message });
  }
};
