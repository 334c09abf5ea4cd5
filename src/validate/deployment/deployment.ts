import { Acceptance } from './acceptance.js';
import { examine } from './examine.js';
import type { DeploymentFinding } from './findings.js';
import { Material } from './material.js';
import { type Service, readService } from './service.js';
import { type TreeLimits, findPlaces } from './tree.js';

/** A tree of deployed services, read and judged for one instant. */
export interface Deployment {
  readonly directory: string;
  readonly at: Date;
  readonly services: readonly ExaminedService[];
  /** What is wrong with the tree itself. */
  readonly findings: readonly DeploymentFinding[];
  readonly acceptance: Acceptance;
}

/** A service with all that is wrong with it. */
interface ExaminedService {
  readonly service: Service;
  readonly findings: readonly DeploymentFinding[];
}

/**
 * Reads all services in `directory` and below and judges each by its own files. What cannot be read is a finding; throws
 * FILE_NOT_FOUND or FILE_NOT_READABLE when there is nothing to judge.
 */
export function readDeployment(directory: string, at: Date, limits?: TreeLimits): Deployment {
  const { places, findings } = findPlaces(directory, limits);
  const material = new Material();
  const services = places.map((place) => readService(place, material, at));
  const acceptance = new Acceptance(services, at);
  const examined = services.map((service) => ({ service, findings: examine(service, acceptance) }));
  return { directory, at, services: examined, findings, acceptance };
}

export const servicesIn = ({ services }: Pick<Deployment, 'services'>): readonly Service[] => services.map(({ service }) => service);
