using k8s;
using k8s.Models;

namespace Headstart.Tests.Deploy;

/// <summary>The manifests as Kubernetes' own client reads them, and whether their parts name each other.</summary>
public sealed class KubernetesTests
{
    /// <summary>Where the ingress sends what nobody may see; it is not there.</summary>
    private const string Nowhere = "nothing";

    /// <summary>Strictly: a name that Kubernetes does not know at that place, or a value of another kind, fails here as it does in
    /// kubectl.</summary>
    private static readonly List<IKubernetesObject<V1ObjectMeta>> Objects =
        [.. Directory.GetFiles(Repository.PathOf("deploy", "kubernetes"), "*.yaml").Order(StringComparer.Ordinal)
            .SelectMany(file => KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true))
                .Cast<IKubernetesObject<V1ObjectMeta>>()];

    private static readonly List<V1PodTemplateSpec> Pods =
        [.. Of<V1Deployment>().Select(its => its.Spec.Template), .. Of<V1Job>().Select(its => its.Spec.Template)];

    [Fact]
    public void A_misspelt_or_misplaced_name_would_be_noticed() =>
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString("apiVersion: v1\nkind: Service\nspec:\n  selektor: {}\n",
            strict: true));

    [Fact]
    public void All_objects_have_names_of_their_own()
    {
        Assert.Equal(11, Objects.Count);
        Assert.Distinct(Objects.Select(its => (its.Kind, its.Metadata.Name)));
    }

    [Fact]
    public void Who_looks_for_pods_by_labels_finds_some()
    {
        Assert.All(Of<V1Deployment>(), its => Assert.True(Matches(its.Spec.Selector.MatchLabels, its.Spec.Template)));
        Assert.All(Of<V1PodDisruptionBudget>(), its => Assert.Contains(Pods, pod => Matches(its.Spec.Selector.MatchLabels, pod)));
        Assert.All(Of<V1Deployment>().SelectMany(its => its.Spec.Template.Spec.TopologySpreadConstraints, (its, spread) => (its, spread)),
            pair => Assert.True(Matches(pair.spread.LabelSelector.MatchLabels, pair.its.Spec.Template)));
        Assert.All(Of<V1Service>(), its => Assert.All(its.Spec.Ports, port =>
            Assert.Contains(Pods, pod => Matches(its.Spec.Selector, pod) && PortsOf(pod).Contains(port.TargetPort.Value))));
    }

    [Fact]
    public void Everything_that_is_named_is_there()
    {
        var deployments = Of<V1Deployment>().Select(its => its.Metadata.Name).ToList();
        Assert.All(Of<V2HorizontalPodAutoscaler>(), its => Assert.Contains(its.Spec.ScaleTargetRef.Name, deployments));

        var services = Of<V1Service>().ToDictionary(its => its.Metadata.Name, its => its.Spec.Ports.Select(port => port.Name));
        var backends = Of<V1Ingress>().SelectMany(its => its.Spec.Rules).SelectMany(rule => rule.Http.Paths)
            .Select(path => path.Backend.Service).Where(its => its.Name != Nowhere).ToList();
        Assert.NotEmpty(backends);
        Assert.All(backends, its => Assert.Contains(its.Port.Name, services[its.Name]));

        var (maps, secrets) = (Of<V1ConfigMap>().Select(its => its.Metadata.Name).ToList(), Of<V1Secret>().Select(its => its.Metadata.Name)
            .ToList());
        Assert.All(Pods.SelectMany(pod => pod.Spec.Containers), container =>
        {
            Assert.All(container.EnvFrom, from => Assert.True(from.ConfigMapRef is { } map ? maps.Contains(map.Name)
                : secrets.Contains(from.SecretRef.Name)));
            Assert.NotEmpty(container.EnvFrom);
        });
    }

    [Fact]
    public void A_pod_has_the_volumes_and_ports_that_it_speaks_of_and_asks_for_no_more_than_it_may_have() => Assert.All(Pods, pod =>
    {
        var container = Assert.Single(pod.Spec.Containers);
        Assert.All(container.VolumeMounts ?? [], mount => Assert.Contains(mount.Name, pod.Spec.Volumes.Select(volume => volume.Name)));
        Assert.All(new[] { container.StartupProbe, container.ReadinessProbe, container.LivenessProbe }.OfType<V1Probe>(),
            probe => Assert.Contains(probe.HttpGet.Port.Value, PortsOf(pod)));
        Assert.All(container.Resources.Limits, limit =>
            Assert.True(container.Resources.Requests[limit.Key].ToDecimal() <= limit.Value.ToDecimal()));
        Assert.True(container.SecurityContext.RunAsNonRoot); // which takes a user that is a number: the image's is the base's APP_UID
    });

    private static IEnumerable<T> Of<T>() => Objects.OfType<T>();

    private static bool Matches(IDictionary<string, string> selector, V1PodTemplateSpec pod) =>
        selector.Count > 0 && selector.All(label => pod.Metadata.Labels?.TryGetValue(label.Key, out var value) == true
            && value == label.Value);

    private static List<string> PortsOf(V1PodTemplateSpec pod) =>
        [.. pod.Spec.Containers.SelectMany(container => container.Ports ?? []).Select(port => port.Name)];
}
