namespace Headstart.Tests;

// Hosts that several classes share, one after the other: their tests make models and keys of their own and look at nothing else. A test
// that changes the host, lists or counts what all accounts have, or needs an empty feature cache belongs to a class with a host of its own.

[CollectionDefinition]
public sealed class AccessHost : ICollectionFixture<TestHost>;

[CollectionDefinition]
public sealed class ArchivesHost : ICollectionFixture<TestHost>;

[CollectionDefinition]
public sealed class BodiesHost : ICollectionFixture<TestHost>;

[CollectionDefinition]
public sealed class ClientsHost : ICollectionFixture<ApiDocument.DocumentedHost>;

[CollectionDefinition]
public sealed class FormatsHost : ICollectionFixture<TestHost>;

[CollectionDefinition]
public sealed class HostingHost : ICollectionFixture<TestHost>;

[CollectionDefinition]
public sealed class ModelsHost : ICollectionFixture<TestHost>;

[CollectionDefinition]
public sealed class TrainingHost : ICollectionFixture<TestHost>;

/// <summary>Its model keeps its one version and its images.</summary>
[CollectionDefinition]
public sealed class PredictionsHost : ICollectionFixture<Predictions.TrainedHost>;
