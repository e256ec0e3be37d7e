using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Headstart.Learning.Backbones;

namespace Headstart.Tests.Source;

/// <summary>More than seven parameters hide an object that is missing. Records are such objects; native functions are not
/// ours.</summary>
public sealed class ParametersTests
{
    private const int Most = 7;

    [Fact]
    public void No_method_and_no_constructor_has_more_than_seven_parameters()
    {
        var methods = new[] { typeof(Setup).Assembly, typeof(Backbone).Assembly }.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Namespace?.StartsWith("Headstart", StringComparison.Ordinal) is true // the rest is generated
                && !type.IsDefined(typeof(CompilerGeneratedAttribute)) && type.GetMethod("<Clone>$") is null)
            .SelectMany(type => type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
                | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .OfType<MethodBase>()
            .Where(method => !method.Name.Contains('<', StringComparison.Ordinal) && !method.IsDefined(typeof(LibraryImportAttribute))
                && !method.IsDefined(typeof(DllImportAttribute)))
            .ToList();

        Assert.True(methods.Count > 1_000);
        Assert.Empty(methods.Where(method => method.GetParameters().Length > Most)
            .Select(method => $"{method.DeclaringType}.{method.Name} has {method.GetParameters().Length}"));
    }
}
