/** Dates through 2049 are UTCTime, and begin in 1950 (RFC 5280 §4.1.2.5.1). */
export const isUtcTime = (time: number): boolean => time >= Date.UTC(1950, 0) && time < Date.UTC(2050, 0);
