/** The client broke the protocol, or asked for what this server does not do. */
export class TraxError extends Error {
  override name = "TraxError";
}
