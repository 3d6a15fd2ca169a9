/** Of CoreDNS' metrics what says whether it runs what is configured. */
export interface CoreDnsMetrics {
  /** `coredns_reload_failed_total`; undefined where the plugin `reload` is not used. */
  readonly reloadsFailed: number | undefined;
  /** The hash that `coredns_reload_version_info` tells of the configuration that runs. */
  readonly configHash: string | undefined;
}

/** Reads the text format of Prometheus. What is not there is undefined. */
export function parseCoreDnsMetrics(_text: string): CoreDnsMetrics {
  throw new Error('not built yet');
}
